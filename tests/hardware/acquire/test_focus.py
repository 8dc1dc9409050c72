"""A real core whose focus drifts stays in focus over a time-lapse, and over a restart."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scopewatch.config import FocusConfig, PositionConfig
from scopewatch.core.errors import SourceError
from scopewatch.sources.micromanager.source import MicroManagerSource
from tests.conftest import FakeClock
from tests.hardware.demo_core import CHANNELS, RUN, adapters, settings
from tests.hardware.focusing_core import Specimen
from tests.unit.sources.fakes import FakeInbox, FakeLedger

pytestmark = [pytest.mark.hardware, pytest.mark.timeout(120)]

DAYS = 10
POSITIONS = (
    PositionConfig(label="A1", x_um=0, y_um=0, z_um=0),
    PositionConfig(label="B2", x_um=900, y_um=900, z_um=0),
)
PHASE = CHANNELS[:1]


def source(path: Path, clock: FakeClock, specimen: Specimen, **focus: Any) -> MicroManagerSource:
    return MicroManagerSource(
        settings(
            path,
            positions=POSITIONS,
            channels=PHASE,
            interval_s=12 * 3600,
            time_points=2 * DAYS,
            focus=FocusConfig(**focus),
        ),
        RUN,
        clock,
        specimen.microscope,
    )


def run(
    made: MicroManagerSource, clock: FakeClock, specimen: Specimen, time_points: range
) -> FakeInbox:
    """Acquire time points 12 h apart while the focus drifts by 3 um each."""
    inbox = FakeInbox()
    made.start(inbox, FakeLedger())
    for index in time_points:
        specimen.plane_um = 3.0 * index
        clock.advance(max(0.0, index * 12 * 3600 - clock.seconds))
        made.acquire_due()
        assert made.health().failing == ""
    return inbox


@pytest.mark.parametrize("method", ["autofocus", "lock"])
@pytest.mark.parametrize("every", ["time-point", "position"])
def test_ten_days_of_drift_stay_in_focus_over_a_restart(
    tmp_path: Path, threads: None, clock: FakeClock, method: str, every: str
) -> None:
    specimen = Specimen()
    for time_points in (range(8), range(8, 2 * DAYS)):
        made = source(tmp_path, clock, specimen, method=method, every=every)
        run(made, clock, specimen, time_points)
        made.stop()
    assert len(specimen.taken) == 2 * DAYS * 2
    assert max(specimen.taken.values()) < 0.1
    assert made.focus.drift_um == pytest.approx(3.0 * (2 * DAYS - 1), abs=0.1)
    assert [each.time_point for each in made.focus.passes] == list(range(2 * DAYS))


def test_without_a_focus_the_same_drift_blurs_the_images(
    tmp_path: Path, threads: None, clock: FakeClock
) -> None:
    specimen = Specimen()
    made = source(tmp_path, clock, specimen, method="none")
    run(made, clock, specimen, range(4))
    made.stop()
    assert specimen.taken[(3, "A1")] == 9


def test_what_the_core_cannot_focus_is_marked_on_the_frame_with_its_reason(
    tmp_path: Path, threads: None, clock: FakeClock
) -> None:
    specimen = Specimen()
    made = source(tmp_path, clock, specimen, method="autofocus", every="position")
    inbox = run(made, clock, specimen, range(2))
    specimen.finds = False
    specimen.plane_um = 6.0
    clock.advance(12 * 3600)
    made.acquire_due()
    specimen.finds = True
    specimen.plane_um = 9.0
    clock.advance(12 * 3600)
    made.acquire_due()
    made.scan()
    made.stop()
    notes = {
        (ticket.key.time_point, ticket.key.well): made.load(ticket).note for ticket in inbox.tickets
    }
    marked = {place: note for place, note in notes.items() if note}
    assert marked == dict.fromkeys([(2, "A1"), (2, "B2")], "focus failed: no contrast")
    # At the last good height, 3 um; the next time point continues from there.
    assert specimen.taken[(2, "A1")] == pytest.approx(3.0, abs=0.1)
    assert specimen.taken[(3, "A1")] == pytest.approx(0.0, abs=0.1)


def test_a_jump_of_the_focus_is_refused_and_the_objective_brought_back(
    tmp_path: Path, threads: None, clock: FakeClock
) -> None:
    specimen = Specimen()
    made = source(tmp_path, clock, specimen, method="autofocus", max_step_um=5, on_failure="skip")
    run(made, clock, specimen, range(2))
    specimen.plane_um = 80.0
    clock.advance(12 * 3600)
    made.acquire_due()
    assert "focus went from 3 to 80 um, beyond what it may (-2 to 8 um)" in made.health().failing
    from mmpycorex import Core  # noqa: PLC0415 - the present core

    assert Core().get_position() == pytest.approx(3.0, abs=0.1)
    made.stop()
    assert sorted({time_point for time_point, _ in specimen.taken}) == [0, 1]


@pytest.mark.parametrize(
    ("left_out", "device", "line"),
    [
        ("Autofocus", None, "the hardware configuration has no autofocus device"),
        ("", "PFS", 'got Cannot set Core property AutoFocus to invalid value "PFS"'),
    ],
)
def test_a_core_without_the_device_is_refused_at_the_start(
    tmp_path: Path, threads: None, clock: FakeClock, left_out: str, device: str | None, line: str
) -> None:
    demo = Path(adapters.device_adapter_path()) / "MMConfig_demo.cfg"
    lines = demo.read_text(encoding="utf-8").splitlines()
    setup = tmp_path / "scope.cfg"
    kept = [each for each in lines if not left_out or left_out not in each]
    setup.write_text("\n".join(kept), encoding="utf-8")
    made = MicroManagerSource(
        settings(
            tmp_path / "data",
            mm_config=setup,
            positions=POSITIONS,
            focus=FocusConfig(method="lock", device=device),
        ),
        RUN,
        clock,
    )
    with pytest.raises(SourceError, match=line):
        made.start(FakeInbox(), FakeLedger())


def test_a_frame_of_the_specimen_is_sharp_where_it_was_in_focus(
    tmp_path: Path, threads: None, clock: FakeClock
) -> None:
    specimen = Specimen()
    made = source(tmp_path, clock, specimen, method="autofocus")
    inbox = run(made, clock, specimen, range(2))
    specimen.finds = False
    specimen.plane_um = 12.0
    clock.advance(12 * 3600)
    made.acquire_due()
    made.scan()
    made.stop()
    spread = {
        ticket.key.time_point: float(np.std(made.load(ticket).pixels))
        for ticket in inbox.tickets
        if ticket.key.well == "A1"
    }
    assert spread[0] == pytest.approx(spread[1], rel=0.01)
    assert spread[2] < 0.7 * spread[1]
