"""Small z-stacks on a real core: the sharpest plane is the frame, each plane is taken once."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scopewatch.config import FocusConfig, PositionConfig, ZStackConfig
from scopewatch.sources.micromanager.source import MicroManagerSource
from tests.conftest import FakeClock
from tests.hardware.acquiring_daemon import acquiring, acquiring_daemon, channel, position, stop
from tests.hardware.demo_core import CHANNELS, RUN, settings
from tests.hardware.focusing_core import Specimen
from tests.hardware.images_on_disk import planes_on_disk
from tests.integration.daemon import Daemon
from tests.unit.sources.fakes import FakeInbox, FakeLedger

pytestmark = [pytest.mark.hardware, pytest.mark.timeout(240)]

STACK = ZStackConfig(range_um=8, step_um=2)
POSITIONS = (
    PositionConfig(label="A1", x_um=0, y_um=0, z_um=0),
    PositionConfig(label="B2", x_um=900, y_um=900, z_um=0),
)
WELLS = ("A1", "A2", "B1")
STEP_UM = 1.5
HOUR_S = 3600


def source(path: Path, clock: FakeClock, specimen: Specimen, **changes: Any) -> MicroManagerSource:
    given = {"positions": POSITIONS, "z_stack": STACK, "time_points": 12, **changes}
    return MicroManagerSource(settings(path, **given), RUN, clock, specimen.microscope)


@pytest.mark.parametrize("method", ["z-stack", "none"])
def test_a_drift_beyond_the_stack_is_followed_over_a_restart_where_that_is_wanted(
    tmp_path: Path, threads: None, clock: FakeClock, method: str
) -> None:
    specimen = Specimen()
    away_um: list[float] = []
    ledger = FakeLedger()
    for time_points in (range(5), range(5, 12)):
        made = source(
            tmp_path, clock, specimen, focus=FocusConfig.model_validate({"method": method})
        )
        inbox = FakeInbox()
        made.start(inbox, ledger)
        for index in time_points:
            specimen.plane_um = STEP_UM * index
            clock.advance(max(0.0, index * HOUR_S - clock.seconds))
            seen = len(inbox.tickets)
            made.acquire_due()
            assert made.health().failing == ""
            made.scan()
            for ticket in inbox.tickets[seen:]:
                frame = made.load(ticket)
                ledger.settle(ticket)
                if ticket.key.channel == "fitc":
                    height = re.search(r"at (\S+) um", frame.note)
                    assert height is not None, frame.note
                    away_um.append(abs(float(height[1]) - specimen.plane_um))
        made.stop()
        assert inbox.refusals == []
    assert len(away_um) == 12 * 2
    if method == "z-stack":
        assert max(away_um) <= 1.0, "half a step"
        # What the last time point shows is for the one after it.
        assert made.focus.drift_um == pytest.approx(STEP_UM * 10, abs=1.0)
    else:
        assert max(away_um) == pytest.approx(STEP_UM * 11 - 4)
    planned = {
        (index, label, preset, plane)
        for index in range(12)
        for label in ("A1", "B2")
        for preset, planes in (("FITC", range(5)), ("DAPI", [None]))
        for plane in planes
    }
    taken = planes_on_disk(tmp_path)
    assert (set(taken), set(taken.values())) == (planned, {1})


def test_planes_out_of_reach_are_one_gap_for_each_stack_with_the_cause_of_the_core(
    tmp_path: Path, threads: None, clock: FakeClock
) -> None:
    far = (POSITIONS[0], POSITIONS[1].model_copy(update={"z_um": 298.0}))
    made = source(tmp_path, clock, Specimen(), positions=far, channels=CHANNELS[:1], time_points=2)
    inbox, ledger = FakeInbox(), FakeLedger()
    made.start(inbox, ledger)
    made.acquire_due()
    assert "position B2 in channel FITC, plane 4" in made.health().failing
    # As the daemon does with a source that is dead.
    made.stop()
    clock.advance(HOUR_S)
    made.start(inbox, ledger)
    made.acquire_due()
    made.scan()
    made.stop()
    assert {str(each.key) for each in inbox.tickets} == {
        f"HES 7/plate/A1/s0/t000{index}/fitc" for index in range(2)
    }
    gaps = [each for each in inbox.refusals if each.missed]
    assert [gap.missed.well for gap in gaps if gap.missed] == ["B2"]
    lacks = r"1 of 5 planes of its z-stack never came: .*Position out of range"
    assert re.search(lacks, gaps[0].reason)
    assert gaps == inbox.refusals


@pytest.fixture
def daemon(tmp_path: Path, eventually: Callable[..., None]) -> Iterator[Daemon]:
    made = acquiring_daemon(
        tmp_path,
        eventually,
        acquiring(
            positions=[
                position(well, 900 * each, 0) for each, well in enumerate(("A1", "A2", "B1"))
            ],
            channels=[{**channel(), "exposure_ms": 300}],
            z_stack={"range_um": 8, "step_um": 2},
            time_points=1,
        ),
    )
    yield made
    stop(made)


def test_a_daemon_that_is_killed_within_a_stack_takes_the_rest_of_it_once(daemon: Daemon) -> None:
    data = daemon.root / "data"
    daemon.start()
    daemon.eventually(lambda: sum(planes_on_disk(data).values()) >= 7, 60)
    assert daemon.process is not None
    daemon.process.kill()
    daemon.process.wait(10)
    cut = planes_on_disk(data)
    assert 0 < sum(cut.values()) < 15
    daemon.start()
    daemon.eventually(
        lambda: (
            {frame.state for frame in daemon.frames()} <= {"done", "quarantined"}
            and len(daemon.frames()) == 3
        ),
        90,
    )
    assert daemon.end(within_s=20) == 0
    taken = planes_on_disk(data)
    planned = {(0, well, "FITC", plane) for well in WELLS for plane in range(5)}
    assert (set(taken), set(taken.values())) == (planned, {1})
    frames = daemon.frames()
    assert [frame.key.well for frame in frames] == list(WELLS)
    # The patterns of the demo camera are no cells: each is judged, with the plane it is of.
    assert {frame.state for frame in frames} == {"quarantined"}
    assert all(" is the sharpest of 5 (" in (frame.reason or "") for frame in frames)
    assert daemon.count("sharpest plane chosen") >= 3
