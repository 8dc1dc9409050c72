"""A well that is marked dead is left out from the next time point on, without gaps."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scopewatch.config import ActsConfig, PositionConfig
from scopewatch.core.acquisition.orders import Act, Order, Report, Target
from scopewatch.sources.micromanager.schedule.grid import Grid
from scopewatch.sources.micromanager.schedule.planned import Planned, begun, put_between
from scopewatch.sources.micromanager.schedule.spans import begin, end
from tests.conftest import FakeClock
from tests.unit.sources.time_lapse_scene import Scene, missed

ACTS = ActsConfig(skip_dead=True)
T0 = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def scene(tmp_path: Path, clock: FakeClock) -> Iterator[Scene]:
    made = Scene(tmp_path, clock, time_points=5, acts=ACTS).start()
    made.at(0)
    yield made
    made.source.stop()


def mark(scene: Scene, act: Act, well: str = "A1", number: int = 1) -> Report:
    order = Order(number=number, act=act, by="anna", at=scene.clock.now(), target=Target(well=well))
    scene.source.order(order)
    scene.source.acquire_due()
    (report,) = [each for each in scene.source.reports() if each.act is act]
    return report


def taken(scene: Scene) -> list[tuple[int, str]]:
    """Return time point and position of what was taken, each once."""
    axes = [event["axes"] for events in scene.microscope.asked for event in events]
    return list(dict.fromkeys((each["time"], each["position"]) for each in axes))


def test_it_is_left_out_until_it_is_taken_in_again_and_leaves_no_gap(scene: Scene) -> None:
    report = mark(scene, Act.DEAD)
    assert (report.done, report.outcome) == (True, "left out from time point 1 on")
    assert report.target == Target(plate="plate", well="A1")
    scene.at(1)
    scene.at(2)
    assert mark(scene, Act.ALIVE).outcome == "imaged again from time point 3 on"
    scene.at(3)
    assert taken(scene) == [
        (0, "A1"),
        (0, "A2"),
        (1, "A2"),
        (2, "A2"),
        (3, "A1"),
        (3, "A2"),
    ]
    assert missed(scene) == []


def test_it_stays_left_out_over_a_restart(scene: Scene, tmp_path: Path, clock: FakeClock) -> None:
    mark(scene, Act.DEAD)
    scene.source.stop()
    again = Scene(tmp_path, clock, time_points=5, acts=ACTS).start()
    again.at(1)
    assert taken(again) == [(1, "A2")]
    assert mark(again, Act.DEAD).outcome == "refused: it is left out already"
    again.source.stop()


def test_an_order_that_waited_for_the_start_is_carried_out_once_the_plan_is_taken_up(
    scene: Scene, tmp_path: Path, clock: FakeClock
) -> None:
    scene.source.stop()
    again = Scene(tmp_path, clock, time_points=5, acts=ACTS)
    order = Order(number=1, act=Act.DEAD, by="anna", at=clock.now(), target=Target(well="A2"))
    again.source.order(order)
    again.source.acquire_due()
    assert again.source.reports() == []
    again.start()
    again.at(1)
    assert [each.outcome for each in again.source.reports()] == ["left out from time point 1 on"]
    assert taken(again) == [(1, "A1")]
    again.source.stop()


@pytest.mark.parametrize(
    ("act", "well", "why"),
    [
        (Act.DEAD, "C7", "no position of the plan is in well C7"),
        (Act.ALIVE, "A1", "it is not left out"),
    ],
)
def test_what_cannot_be_done_is_refused_and_says_why(
    scene: Scene, act: Act, well: str, why: str
) -> None:
    report = mark(scene, act, well)
    assert (report.done, report.outcome) == (False, f"refused: {why}")


def test_nothing_is_left_out_unless_it_is_switched_on(tmp_path: Path, clock: FakeClock) -> None:
    scene = Scene(tmp_path, clock).start()
    scene.at(0)
    assert mark(scene, Act.DEAD).outcome == "refused: acts.skip_dead of the source is off"
    scene.source.stop()


def test_a_well_name_on_two_plates_needs_its_plate(tmp_path: Path, clock: FakeClock) -> None:
    positions = [
        PositionConfig(label=f"{plate}-A1", x_um=each * 9000, y_um=0)
        for each, plate in enumerate(("left", "right"))
    ]
    pattern = r"(?P<plate>\w+)-(?P<well>[A-H]\d+)"
    scene = Scene(tmp_path, clock, positions=positions, position=pattern, acts=ACTS).start()
    scene.at(0)
    assert "is on several plates: left, right; name one" in mark(scene, Act.DEAD).outcome
    scene.source.stop()


def plan() -> Planned:
    grid = Grid(first=0, first_at=T0, interval_s=3600)
    return begun(grid, 6, [("A1", "BF"), ("A2", "BF")])


def has(planned: Planned, position: str) -> list[int]:
    return [index for index in range(7) if planned.has(index, (position, "BF"))]


def test_what_is_left_out_moves_with_a_time_point_put_in_between() -> None:
    planned = replace(plan(), skips=end(begin((), ["A1"], 2), ["A1"], 4))
    assert has(planned, "A1") == [0, 1, 4, 5, 6]
    between = put_between(planned, T0)
    assert has(between, "A1") == [0, 1, 2, 5, 6]
    assert has(between, "A2") == list(range(7))


def test_leaving_out_and_taking_in_at_one_time_point_changes_nothing() -> None:
    assert end(begin((), ["A1"], 2), ["A1"], 2) == ()


def test_what_begins_with_the_next_time_point_begins_with_one_that_is_put_before_it() -> None:
    left_out = put_between(replace(plan(), skips=begin((), ["A1"], 1)), T0)
    assert has(left_out, "A1") == [0]
    back = put_between(replace(plan(), skips=end(begin((), ["A1"], 0), ["A1"], 1)), T0)
    assert has(back, "A1") == [1, 2, 3, 4, 5, 6]
