"""The real daemon follows what a real acquisition writes, whichever program writes it.

Every phase frame is scored once, under the well, site, time point and channel of the plan and with
its own pixels. `python -m benchmarks.live_writers` measures how soon; here a writer that is killed
in the middle shows that nothing waits for the end of a run.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.writers.cases import CASES, Case
from tests.writers.following import Followed, Stage, follow, set_stage
from tests.writers.plan import Plan

# The first test waits for the runs that all tests share.
pytestmark = [pytest.mark.hardware, pytest.mark.timeout(300)]

FOLLOWED = (
    "ome-tiff",
    "ome-tiff-lzw",
    "ome-tiff-master",
    "ome-tiff-companion",
    "ome-tiff-mapped",
    "ome-zarr-tensorstore",
    "ome-zarr-zarr-python",
    "ome-zarr-acquire-zarr",
    "image-sequence",
    "ndtiff",
    "ndtiff-numbers",
    "ndtiff-index-only",
)

# A run takes a quarter of a minute, mostly waiting.
TOGETHER = 3

Run = Callable[[Case, bool], Followed]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """2 wells x 2 sites x 3 time points x 2 channels, no faster than a stage moves.

    Files change about as often as `settle_s`: one that grows may never rest.
    """
    bundle = Path(__file__).parents[2] / "models" / "simulated-cardiomyocyte"
    plan = Plan(wells=2, times=3, interval_s=2.1)
    return set_stage(tmp_path_factory.mktemp("stage"), plan, bundle, move_s=0.5, rescan_s=1)


@pytest.fixture(scope="module")
def run(
    stage: Stage, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Run]:
    """Runs of this module's tests: started together, each returned when it is over."""
    in_the_middle = stage.plan.place(time_point=1, position=2, channel=0)
    runs: dict[tuple[str, bool], Future[Followed]] = {}

    def begin(case: Case, killed: bool) -> Followed:
        folder = tmp_path_factory.mktemp(case.writer)
        return follow(case, folder, stage, kill_at=in_the_middle if killed else None)

    def end(case: Case, killed: bool) -> Followed:
        return runs[case.writer, killed].result()

    with ThreadPoolExecutor(TOGETHER, "follow") as pool:
        for item in request.session.items:
            if not isinstance(item, pytest.Function) or item.path != request.path:
                continue
            if "run" in item.fixturenames:
                case, killed = item.callspec.params["case"], "killed" in item.name
                assert isinstance(case, Case)
                runs[case.writer, killed] = pool.submit(begin, case, killed)
        yield end
        pool.shutdown(cancel_futures=True)


every_writer = pytest.mark.parametrize(
    "case", [case for case in CASES if case.writer in FOLLOWED], ids=lambda case: case.writer
)


@every_writer
def test_every_phase_frame_is_scored_once_under_its_name(case: Case, run: Run) -> None:
    followed = run(case, False)

    assert followed.broken == []
    assert followed.expected == 12


@every_writer
def test_of_a_writer_that_is_killed_what_is_whole_is_read_and_nothing_half(
    case: Case, run: Run
) -> None:
    followed = run(case, True)

    assert followed.broken == []
    assert followed.expected == 0 if case.named_at_close else followed.expected in {6, 7}


def test_frames_that_nothing_names_so_far_wait_visibly(stage: Stage, tmp_path: Path) -> None:
    (case,) = (case for case in CASES if case.writer == "image-sequence")
    before_the_side_file_is_written_again = stage.plan.place(time_point=0, position=3, channel=0)

    followed = follow(case, tmp_path, stage, kill_at=before_the_side_file_is_written_again)

    assert followed.broken == []
    assert followed.expected == 1
    assert followed.unnamed in {2, 3}
    assert followed.waiting >= followed.unnamed
