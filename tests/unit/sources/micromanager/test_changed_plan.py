"""A changed plan continues with the next time point; only planned images can be missing."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from scopewatch.config import PositionConfig
from scopewatch.sources.micromanager.acquired import Acquired
from scopewatch.sources.micromanager.schedule.grid import Grid
from scopewatch.sources.micromanager.schedule.plan_file import PLAN_FILE, read_kept, write_plan
from scopewatch.sources.micromanager.schedule.planned import (
    FINISH_S,
    Image,
    Planned,
    begun,
    take_up,
)
from tests.conftest import FakeClock
from tests.unit.sources.time_lapse_scene import CHANNELS, POSITIONS, Scene, missed

T0 = datetime(2026, 3, 1, 9, tzinfo=UTC)
HOUR_S = 3600.0
ONE: tuple[Image, ...] = (("A1", "BF"),)
TWO: tuple[Image, ...] = (*ONE, ("B1", "BF"))


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def planned(*, hours: float = 1, time_points: int = 8, over: int = -1) -> Planned:
    grid = Grid(first=0, first_at=T0, interval_s=hours * HOUR_S)
    plan = begun(grid, time_points, ONE)
    return Planned(
        grid=plan.grid,
        began_at=plan.began_at,
        time_points=plan.time_points,
        since=plan.since,
        over=over,
    )


def go_on(
    before: Planned,
    now: float,
    *,
    hours: float = 1,
    time_points: int = 8,
    images: tuple[Image, ...] = ONE,
    taken: int = 2,
) -> Planned:
    return take_up(
        before,
        interval_s=hours * HOUR_S,
        time_points=time_points,
        images=images,
        taken=frozenset((index, image) for index in range(taken) for image in ONE),
        now=at(now),
    )


def test_before_its_first_time_point_a_grid_is_at_the_one_before() -> None:
    grid = Grid(first=3, first_at=at(10), interval_s=HOUR_S)
    assert [grid.at(at(hours)) for hours in (-50, 9.9, 10, 10.9, 11, 15.5)] == [2, 2, 3, 3, 4, 8]
    assert (grid.time_of(3), grid.time_of(5), grid.time_of(0)) == (at(10), at(12), at(7))


def test_the_same_plan_goes_on_where_the_clock_says() -> None:
    before = planned()
    assert go_on(before, 5.5) == before


@pytest.mark.parametrize(
    ("hours", "now", "due"),
    [
        (0.2, 1.5, 1.5),  # it would have been due at 1.2: now
        (0.2, 1.1, 1.2),
        (4, 1.5, 5),
        (4, 1.0, 5),
    ],
)
def test_another_interval_counts_from_the_last_time_point(
    hours: float, now: float, due: float
) -> None:
    after = go_on(planned(over=0), now, hours=hours)
    assert after.grid == Grid(first=2, first_at=at(due), interval_s=hours * HOUR_S)
    assert after.began_at == T0


def test_time_points_that_were_reported_as_missed_are_not_planned_again() -> None:
    after = go_on(planned(over=4), 5.5, hours=2)
    assert after.grid == Grid(first=5, first_at=at(6), interval_s=2 * HOUR_S)


def test_time_points_that_passed_while_nobody_acquired_are_taken_by_the_new_interval() -> None:
    after = go_on(planned(over=1), 100, hours=2)
    assert after.grid == Grid(first=2, first_at=at(100), interval_s=2 * HOUR_S)


def test_what_a_reload_interrupted_is_finished_first() -> None:
    after = go_on(planned(over=1), 2.5, hours=0.1, taken=3)
    assert after.grid.first_at == at(2.5), "it was complete"
    half = take_up(
        begun(Grid(first=0, first_at=T0, interval_s=HOUR_S), 8, TWO),
        interval_s=360,
        time_points=8,
        images=TWO,
        taken=frozenset({(0, TWO[0]), (0, TWO[1]), (1, TWO[0])}),
        now=at(1.5),
    )
    assert half.grid.first == 2
    assert half.grid.first_at == at(1.5) + timedelta(seconds=FINISH_S)


def test_more_time_points_after_the_last_go_on_from_now() -> None:
    after = go_on(planned(time_points=3, over=2), 50, time_points=6, taken=3)
    assert after.grid == Grid(first=3, first_at=at(50), interval_s=HOUR_S)
    sooner = go_on(planned(time_points=3, over=1), 2.5, time_points=6, taken=3)
    assert sooner.grid == Grid(first=0, first_at=T0, interval_s=HOUR_S), (
        "before the end of the last"
    )


@pytest.mark.parametrize(
    ("now", "first"),
    [(1.5, 2), (2.5, 2), (5.5, 5)],
    ids=["the last was taken", "the next is due", "some passed meanwhile"],
)
def test_what_is_added_begins_with_the_next_time_point(now: float, first: int) -> None:
    after = go_on(planned(over=0), now, images=TWO)
    assert dict(after.since) == {TWO[0]: 0, TWO[1]: first}
    assert go_on(after, now + 2, images=TWO).since == after.since


def test_what_was_removed_and_added_again_begins_again() -> None:
    without = go_on(planned(over=0), 1.5, images=TWO[1:])
    assert go_on(without, 5.5, images=TWO).since == {TWO[0]: 5, TWO[1]: 2}


def test_an_addition_with_another_interval_begins_with_its_first_time_point() -> None:
    after = go_on(planned(over=1), 100, hours=2, images=TWO)
    assert (after.grid.first, dict(after.since)) == (2, {TWO[0]: 0, TWO[1]: 2})


def plan_of(folder: Path) -> Planned | None:
    kept = read_kept(folder, "HES 7")
    return None if kept is None else kept.planned


def test_a_plan_is_read_back_as_it_was_kept(tmp_path: Path) -> None:
    for number in (9, 10):
        (tmp_path / f"HES_7_{number}").mkdir()
    (tmp_path / "HES_71_11").mkdir()
    kept = Planned(
        grid=Grid(first=3, first_at=at(7.25), interval_s=90.5),
        began_at=T0,
        time_points=12,
        over=5,
        since=MappingProxyType({("A1", None): 0, ("B 1", "Phäse"): 4}),
    )
    write_plan(tmp_path / "HES_7_9", planned())
    write_plan(tmp_path / "HES_71_11", planned())
    assert plan_of(tmp_path) == planned()
    write_plan(tmp_path / "HES_7_10", kept)
    assert plan_of(tmp_path) == kept, "of the newest data set, by its number"
    assert [path.name for path in (tmp_path / "HES_7_10").iterdir()] == [PLAN_FILE]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"interval_s": 0}', "\0" * 20])
def test_a_plan_that_cannot_be_read_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "HES_7_1").mkdir()
    (tmp_path / "HES_7_2").mkdir()
    write_plan(tmp_path / "HES_7_1", planned())
    (tmp_path / "HES_7_2" / PLAN_FILE).write_text(text)
    assert plan_of(tmp_path) == planned()
    assert read_kept(tmp_path / "gone", "HES 7") is None


def again(first: Scene, path: Path, **changes: Any) -> Scene:
    """Stop a source and start another one with changed settings over its data."""
    first.source.stop()
    other = Scene(path, first.clock, **changes)
    other.ledger = first.ledger
    other.ledger.settle(*first.inbox.tickets, *first.inbox.refusals)
    return other.start()


@pytest.fixture
def first(tmp_path: Path, clock: FakeClock) -> Scene:
    """Eight time points are planned, two are taken."""
    clock.wall = T0
    scene = Scene(tmp_path, clock, time_points=8).start()
    scene.at(0)
    scene.at(1)
    return scene


def test_a_shorter_interval_costs_no_time_point(first: Scene, tmp_path: Path) -> None:
    first.clock.advance(0.5 * HOUR_S)
    scene = again(first, tmp_path, time_points=8, interval_s=0.2 * HOUR_S)
    for tenths in range(15, 40):
        scene.at(tenths / 10)
    assert scene.acquired == [2, 3, 4, 5, 6, 7]
    assert missed(scene) == []
    assert scene.source.health().ended
    scene.source.stop()


def test_a_longer_interval_costs_no_time_point_over_another_restart(
    first: Scene, tmp_path: Path
) -> None:
    scene = again(first, tmp_path, time_points=8, interval_s=4 * HOUR_S)
    scene.at(4.9)
    assert scene.acquired == []
    scene = again(scene, tmp_path, time_points=8, interval_s=4 * HOUR_S)
    scene.at(5)
    scene.at(8.9)
    scene.at(9)
    assert scene.acquired == [2, 3]
    assert missed(scene) == []
    scene.source.stop()


def test_a_position_and_a_channel_that_are_added_have_no_gaps_before(
    first: Scene, tmp_path: Path
) -> None:
    first.clock.advance(0.5 * HOUR_S)
    added = PositionConfig(label="B1", x_um=0, y_um=9000, z_um=1)
    scene = again(first, tmp_path, time_points=8, positions=(*POSITIONS, added))
    scene.at(1.6)
    assert scene.acquired == [], "images that were not planned then are not taken late"
    scene.at(2)
    assert [event["axes"]["position"] for event in scene.microscope.asked[0]][-1] == "B1"
    assert missed(scene) == []
    scene.at(4)
    assert sorted(line.split(":")[0] for line in missed(scene)) == [
        f"HES 7/plate/{well}/s0/t0003/BF" for well in ("A1", "A2", "B1")
    ]
    scene.source.stop()


def test_a_channel_that_is_added_has_no_gaps_before(tmp_path: Path, clock: FakeClock) -> None:
    clock.wall = T0
    scene = Scene(tmp_path, clock, time_points=8, channels=CHANNELS[1:]).start()
    scene.at(0)
    scene = again(scene, tmp_path, time_points=8, channels=CHANNELS)
    scene.at(1)
    assert len(scene.microscope.asked[0]) == 4
    assert missed(scene) == []
    scene.source.stop()


def test_time_points_that_are_added_after_the_last_are_taken_from_now_on(
    tmp_path: Path, clock: FakeClock
) -> None:
    clock.wall = T0
    scene = Scene(tmp_path, clock, time_points=2).start()
    scene.at(0)
    scene.at(1)
    scene.at(30)
    scene = again(scene, tmp_path, time_points=4)
    scene.at(30)
    scene.at(31)
    assert scene.acquired == [2, 3]
    assert missed(scene) == []
    scene.source.stop()


@pytest.mark.parametrize(
    ("hours", "grid"),
    [
        ((0, 1.1, 2.2), Grid(first=0, first_at=T0, interval_s=HOUR_S)),
        ((0, 2, 4), Grid(first=2, first_at=at(4), interval_s=2 * HOUR_S)),
        ((0, 0.25, 0.5, 0.75, 1), Grid(first=4, first_at=at(1), interval_s=0.25 * HOUR_S)),
        ((), None),
    ],
    ids=["on time or later", "longer before", "shorter before", "no times"],
)
def test_without_a_kept_plan_the_images_tell_the_interval(
    hours: tuple[float, ...], grid: Grid | None
) -> None:
    moments = {index: at(each) for index, each in enumerate(hours)}
    assert Acquired(planes={}, moments=moments, interval_s=HOUR_S).grid() == grid


def test_a_plan_that_cannot_be_kept_is_reported_once_and_holds_up_nothing(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("scopewatch.sources.micromanager.schedule.plan_kept.write_plan", full)
    scene = Scene(tmp_path, clock).start()
    scene.at(0)
    scene.at(1)
    assert scene.acquired == [0, 1]
    logged = [record for record in caplog.records if record.message.startswith("plan of the time-")]
    assert len(logged) == 1
    scene.source.stop()


def test_the_kept_plan_can_be_read_by_people(first: Scene, tmp_path: Path) -> None:
    first.source.stop()
    kept = json.loads((tmp_path / "HES_7_1" / PLAN_FILE).read_text(encoding="utf-8"))
    assert kept["interval_s"] == HOUR_S
    assert kept["over"] == 1
    assert kept["images"][0] == {"position": "A1", "channel": "BF", "since": 0}
