"""Phases of a time-lapse, periods of channels, exposures of positions."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scopewatch.config import ChannelConfig, PhaseConfig, PositionConfig, RunConfig
from scopewatch.core.errors import ConfigError
from scopewatch.sources.base.reading import reading_settings
from scopewatch.sources.micromanager.acquired import Acquired
from scopewatch.sources.micromanager.plan import check_plan
from scopewatch.sources.micromanager.schedule.grid import Grid, Step
from tests.conftest import FakeClock
from tests.unit.sources.time_lapse_scene import CHANNELS, POSITIONS, RUN, Scene, missed
from tests.unit.sources.time_lapse_scene import settings as plan

HOUR_S = 3600.0
T0 = datetime(2026, 3, 1, 9, tzinfo=UTC)
# 2 h three times, then every hour from hour 6 on.
PHASES = (
    PhaseConfig(interval_s=2 * HOUR_S, time_points=3),
    PhaseConfig(interval_s=HOUR_S, time_points=4),
)
BF, GFP = CHANNELS


def phased(path: Path, clock: FakeClock, **changes: Any) -> Scene:
    """A source with phases in place of an interval and a number of time points."""
    given = {"interval_s": None, "time_points": None, "phases": PHASES, **changes}
    return Scene(path, clock, **given).start()


def times(scene: Scene, until_h: float, step_h: float = 0.5, from_h: float = 0) -> dict[int, float]:
    """Let time pass; return at which hour each time point was acquired."""
    taken: dict[int, float] = {}
    hours = from_h
    while hours <= until_h:
        scene.at(hours)
        for index in scene.acquired:
            taken.setdefault(index, hours)
        hours += step_h
    return taken


def test_the_interval_changes_with_the_phase(tmp_path: Path, clock: FakeClock) -> None:
    scene = phased(tmp_path, clock)
    assert times(scene, 12) == {0: 0, 1: 2, 2: 4, 3: 6, 4: 7, 5: 8, 6: 9}
    assert missed(scene) == []
    assert scene.source.health().ended


def test_a_restart_within_the_second_phase_goes_on_on_its_grid(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = phased(tmp_path, clock)
    times(first, 6)
    first.source.stop()
    scene = phased(tmp_path, clock)
    scene.ledger = first.ledger
    assert times(scene, 12, from_h=6.5) == {4: 7, 5: 8, 6: 9}
    assert missed(scene) == []


def test_an_outage_over_the_change_of_the_phase_leaves_its_gaps(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = phased(tmp_path, clock)
    times(first, 3)
    first.source.stop()
    scene = phased(tmp_path, clock)
    assert times(scene, 12, from_h=7.5) == {4: 7.5, 5: 8, 6: 9}
    assert sorted({line.split("/")[4] for line in missed(scene)}) == ["t0002", "t0003"]


def test_another_phase_that_a_reload_adds_counts_from_the_last_time_point(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = phased(tmp_path, clock, phases=PHASES[:1])
    assert times(first, 4) == {0: 0, 1: 2, 2: 4}
    first.source.stop()
    scene = phased(tmp_path, clock)
    # The last time point of the first phase is followed by its own interval.
    assert times(scene, 12, from_h=4.5) == {3: 6, 4: 7, 5: 8, 6: 9}
    assert missed(scene) == []


def test_a_phase_that_is_over_may_be_written_otherwise(tmp_path: Path, clock: FakeClock) -> None:
    first = phased(tmp_path, clock)
    times(first, 7)
    first.source.stop()
    other = (PhaseConfig(interval_s=5 * HOUR_S, time_points=3), PHASES[1])
    scene = phased(tmp_path, clock, phases=other)
    assert times(scene, 12, from_h=7.5) == {5: 8, 6: 9}


def test_images_alone_tell_the_grid_of_phases() -> None:
    hours = {0: 0.0, 1: 2.1, 2: 4.0, 3: 6.0, 4: 7.0, 5: 8.2}
    found = Acquired(
        planes={},
        moments={index: T0 + timedelta(hours=each) for index, each in hours.items()},
        interval_s=2 * HOUR_S,
        then=(Step(since=3, interval_s=HOUR_S),),
    )
    grid = found.grid()
    assert grid is not None
    assert [(grid.time_of(index) - T0) / timedelta(hours=1) for index in (0, 3, 6)] == [0, 6, 9]


def test_phases_beside_an_interval_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="and phases cannot be set together"):
        plan(tmp_path, phases=PHASES)


def test_phases_are_refused_where_days_are_counted_by_time_points(tmp_path: Path) -> None:
    counted = RunConfig(name="HES 7", phase_channel="BF", day_from="time_point")
    two = plan(tmp_path, interval_s=None, time_points=None, phases=PHASES)
    with pytest.raises(ConfigError, match="got time_point, and intervals of 3600 s, 7200 s"):
        check_plan(two, reading_settings(two, counted))
    check_plan(two, reading_settings(two, RUN))
    one = plan(tmp_path, interval_s=None, time_points=None, phases=PHASES[:1])
    check_plan(one, reading_settings(one, counted))


def test_steps_of_a_grid_lie_in_order() -> None:
    with pytest.raises(ValueError, match="not in order"):
        Grid(
            first=0,
            first_at=T0,
            interval_s=1,
            then=(Step(since=4, interval_s=1), Step(since=2, interval_s=1)),
        )


def channels_of(scene: Scene) -> list[list[str]]:
    """Return the channels of the first position at each time point."""
    return [
        [event["axes"]["channel"] for event in events if event["axes"]["position"] == "A1"]
        for events in scene.microscope.asked
    ]


def every(period: Any) -> tuple[ChannelConfig, ...]:
    return BF, GFP.model_copy(update={"every": period})


def test_a_channel_is_taken_every_nth_time_point(tmp_path: Path, clock: FakeClock) -> None:
    scene = Scene(tmp_path, clock, channels=every(3), time_points=7).start()
    times(scene, 8, 1)
    assert channels_of(scene) == [
        *(["BF", "GFP"], ["BF"], ["BF"]),
        *(["BF", "GFP"], ["BF"], ["BF"]),
        ["BF", "GFP"],
    ]
    assert missed(scene) == []
    assert scene.source.health().ended


def test_a_final_channel_is_taken_at_the_last_time_point_alone(
    tmp_path: Path, clock: FakeClock
) -> None:
    scene = Scene(tmp_path, clock, channels=every("final"), time_points=3).start()
    times(scene, 4, 1)
    assert channels_of(scene) == [["BF"], ["BF"], ["BF", "GFP"]]


def test_only_what_was_planned_of_a_channel_can_be_missing(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = Scene(tmp_path, clock, channels=every(2), time_points=6).start()
    first.at(0)
    first.source.stop()
    # Fluorescence is a processed channel, so that its gaps are reported.
    scene = Scene(tmp_path, clock, channels=every(2), time_points=6)
    places = [scene.source._acquiring.account.missing(index) for index in range(6)]
    assert [[channel for _, label, channel in each if label == "A1"] for each in places] == [
        *(["BF", "GFP"], ["BF"]),
        *(["BF", "GFP"], ["BF"]),
        *(["BF", "GFP"], ["BF"]),
    ]


def test_a_channel_that_comes_more_often_has_no_gaps_before(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = Scene(tmp_path, clock, channels=every(4), time_points=8).start()
    times(first, 2, 1)
    first.source.stop()
    scene = Scene(tmp_path, clock, channels=every(1), time_points=8).start()
    acquiring = scene.source._acquiring
    assert [acquiring.account.missing(index) for index in range(3)] == [[], [], []]
    scene.at(3)
    assert channels_of(scene) == [["BF", "GFP"]]


def test_more_time_points_move_the_final_one(tmp_path: Path, clock: FakeClock) -> None:
    first = Scene(tmp_path, clock, channels=every("final"), time_points=3).start()
    times(first, 1, 1)
    first.source.stop()
    scene = Scene(tmp_path, clock, channels=every("final"), time_points=4).start()
    times(scene, 5, 1, from_h=2)
    assert channels_of(scene) == [["BF"], ["BF", "GFP"]]


def test_a_position_may_have_exposures_of_its_own(tmp_path: Path, clock: FakeClock) -> None:
    bright = POSITIONS[1].model_copy(update={"exposures_ms": {"GFP": 80.0}})
    scene = Scene(tmp_path, clock, positions=(POSITIONS[0], bright)).start()
    scene.at(0)
    (events,) = scene.microscope.asked
    assert [event["exposure"] for event in events] == [10, 500, 10, 80]


def test_an_exposure_of_a_channel_that_is_not_acquired_is_refused(
    tmp_path: Path, clock: FakeClock
) -> None:
    wrong = PositionConfig(label="A1", x_um=0, y_um=0, exposures_ms={"Phase": 5})
    with pytest.raises(ConfigError, match=r"position 'A1' .*expected one of 'BF', 'GFP', got 'Ph"):
        Scene(tmp_path, clock, positions=(wrong,))
