"""What a real acquisition writes is followed live, by the real daemon, whichever program writes it.

Every phase frame is scored once, under the well, site, time point and channel of the plan and with
its own pixels, within seconds after it was written.
"""

from pathlib import Path

import pytest

from tests.writers.cases import CASES, Case
from tests.writers.following import Stage, follow, set_stage
from tests.writers.plan import Plan

pytestmark = pytest.mark.hardware

FOLLOWED = ("ndtiff", "ndtiff-numbers", "ndtiff-index-only")

every_writer = pytest.mark.parametrize(
    "case", [case for case in CASES if case.writer in FOLLOWED], ids=lambda case: case.writer
)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """2 wells x 2 sites x 3 time points x 2 channels."""
    bundle = Path(__file__).parents[2] / "models" / "simulated-cardiomyocyte"
    plan = Plan(wells=2, times=3, interval_s=1.6)
    return set_stage(tmp_path_factory.mktemp("stage"), plan, bundle, move_s=0.35, rescan_s=1)


@every_writer
def test_every_phase_frame_is_scored_once_under_its_name_and_soon(
    case: Case, stage: Stage, tmp_path: Path
) -> None:
    followed = follow(case, tmp_path, stage)

    assert followed.broken == []
    assert followed.expected == 12


@every_writer
def test_of_a_writer_that_is_killed_what_is_whole_is_read_and_nothing_half(
    case: Case, stage: Stage, tmp_path: Path
) -> None:
    in_the_middle = stage.plan.place(time_point=1, position=2, channel=0)

    followed = follow(case, tmp_path, stage, kill_at=in_the_middle)

    assert followed.broken == []
    assert followed.expected == 0 if case.named_at_close else followed.expected in {6, 7}
