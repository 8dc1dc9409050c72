"""Orders of a person: pause, resume, a time point now, medium change."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scopewatch.config import MediumConfig, RunConfig
from scopewatch.core.acquisition.journal import JournalEntry, holding
from scopewatch.core.acquisition.orders import Act, Order
from scopewatch.sources.micromanager.events import Axes, Event, never
from tests.conftest import FakeClock
from tests.unit.sources.time_lapse_scene import Scene, missed

T0 = datetime(2026, 3, 1, 9, tzinfo=UTC)
MEDIUM = MediumConfig(lift_to_um=-100)


@pytest.fixture(autouse=True)
def at_nine(clock: FakeClock) -> None:
    clock.wall = T0


class Steered(Scene):
    """A time-lapse and its orders."""

    def __init__(self, path: Path, clock: FakeClock, **changes: Any) -> None:
        super().__init__(path, clock, **changes)
        self.numbers = 0

    def order(self, act: Act, by: str = "anna, command line") -> str:
        """Give an order now; return its outcome."""
        self.numbers += 1
        self.source.order(Order(number=self.numbers, act=act, by=by, at=self.clock.now()))
        self.source.acquire_due()
        *_, last = [each for each in self.source.reports() if each.act is not Act.NOTE]
        assert last.number == self.numbers
        return last.outcome


@pytest.fixture
def scene(tmp_path: Path, clock: FakeClock) -> Steered:
    made = Steered(tmp_path, clock, time_points=5, medium=MEDIUM)
    made.start()
    made.at(0)
    return made


def test_nothing_is_acquired_while_it_is_paused_and_gaps_name_who(scene: Steered) -> None:
    scene.at(0.5)
    assert scene.order(Act.PAUSE) == "paused"
    scene.at(1)
    scene.at(2.5)
    assert scene.acquired == [0]
    assert set(missed(scene)) == {
        f"HES 7/plate/{well}/s0/t0001/BF: never acquired:"
        " paused by anna, command line, since 2026-03-01 09:30 UTC"
        for well in ("A1", "A2")
    }
    assert scene.order(Act.RESUME) == "goes on"
    assert scene.acquired == [0, 2], "what is still due is taken late"
    scene.at(3)
    assert scene.acquired == [0, 2, 3]


def test_a_pause_is_no_failure_of_the_source(scene: Steered) -> None:
    scene.order(Act.PAUSE)
    scene.at(1)
    health = scene.source.health()
    assert health.alive
    assert health.failing == ""
    standing = scene.source.standing()
    assert standing is not None
    assert standing.held is not None
    assert standing.held.why == "paused by anna, command line, since 2026-03-01 09:00 UTC"


def test_a_pause_leaves_images_off_that_are_not_begun_and_takes_them_after_it(
    tmp_path: Path, clock: FakeClock
) -> None:
    scene = Steered(tmp_path, clock)
    scene.start()
    acquire = scene.microscope.acquire

    def ordered(
        events: list[Event], saved: Callable[[Axes], None], hold: Callable[[], bool] = never
    ) -> bool:
        def first(axes: Axes) -> None:
            saved(axes)
            if axes["channel"] == "BF":
                order = Order(number=1, act=Act.PAUSE, by="anna", at=clock.now())
                scene.source.order(order)

        return acquire(events, first, hold)

    scene.microscope.acquire = ordered  # type: ignore[assignment, method-assign]
    scene.at(0)
    scene.at(0.1)
    assert scene.source.plan().next_time_point == 0
    assert len(scene.microscope.asked) == 1
    # No failure, no new connection, and nothing is tried while it is paused.
    assert (scene.microscope.opened, scene.source.health().failing) == (1, "")
    scene.microscope.acquire = acquire  # type: ignore[method-assign]
    scene.numbers = 1
    scene.order(Act.RESUME)
    assert scene.source.plan().next_time_point == 1
    assert [event["axes"]["channel"] for event in scene.microscope.asked[1]] == ["GFP", "BF", "GFP"]


@pytest.mark.parametrize(
    ("acts", "line"),
    [
        ([Act.RESUME], "refused: it is not paused"),
        ([Act.PAUSE, Act.PAUSE], "refused: paused by anna, command line, since 2026-03-01 09:00"),
        ([Act.PAUSE, Act.NOW], "refused: paused by anna"),
        ([Act.MEDIUM, Act.MEDIUM], "refused: medium change by anna"),
        ([Act.MEDIUM, Act.PAUSE], "refused: medium change by anna"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(
    scene: Steered, acts: list[Act], line: str
) -> None:
    *_, last = [scene.order(act) for act in acts]
    assert last.startswith(line)


def test_a_time_point_now_is_one_more_and_moves_none_of_the_others(scene: Steered) -> None:
    scene.at(1)
    scene.at(1.4)
    assert scene.order(Act.NOW) == "time point 2"
    assert scene.acquired == [0, 1, 2]
    for tenths in range(15, 60):
        scene.at(tenths / 10)
    assert scene.acquired == [0, 1, 2, 3, 4, 5]
    assert missed(scene) == []
    assert scene.source.health().ended
    times = [scene.source.plan().time_points, scene.source.plan().next_time_point]
    assert times == [6, 6]


def test_a_requested_time_point_survives_a_restart(
    scene: Steered, tmp_path: Path, clock: FakeClock
) -> None:
    scene.at(0.4)
    scene.order(Act.NOW)
    scene.source.stop()
    again = Steered(tmp_path, clock, time_points=5, medium=MEDIUM)
    again.start()
    for tenths in range(5, 60):
        again.at(tenths / 10)
    assert again.acquired == [2, 3, 4, 5]
    assert missed(again) == []
    assert again.source.plan().time_points == 6


def test_a_time_point_now_is_refused_while_one_is_tried(scene: Steered) -> None:
    scene.microscope.fail_first = 2
    scene.at(1)
    line = scene.order(Act.NOW)
    assert line == "refused: time point 1 is not complete yet, and is being taken"


def test_a_time_point_now_is_refused_after_the_last(tmp_path: Path, clock: FakeClock) -> None:
    scene = Steered(tmp_path, clock, time_points=2)
    scene.start()
    scene.at(0)
    scene.at(1)
    assert scene.order(Act.NOW) == (
        "refused: no time point is left; raise time_points of the source"
    )


def test_a_time_point_now_is_refused_where_days_are_counted_by_time_points(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = RunConfig(name="HES 7", phase_channel="BF", day_from="time_point")
    monkeypatch.setattr("tests.unit.sources.time_lapse_scene.RUN", counted)
    scene = Steered(tmp_path, clock)
    scene.start()
    scene.at(0)
    assert scene.order(Act.NOW) == "refused: day_from: time_point counts days by time points"


def test_a_medium_change_moves_the_objective_away_and_back(scene: Steered) -> None:
    scene.microscope.core.z_um = 12.0
    assert scene.order(Act.MEDIUM) == "objective moved from 12 to -100 um"
    assert scene.microscope.core.z_um == -100
    scene.at(1)
    assert scene.acquired == [0]
    assert scene.order(Act.RESUME) == "objective back at 12 um, goes on"
    assert scene.microscope.core.moves == [-100, 12]
    assert scene.acquired == [0, 1]


def test_a_medium_change_ends_by_itself_when_its_time_is_over(
    tmp_path: Path, clock: FakeClock
) -> None:
    waits = MediumConfig(lift_to_um=-100, wait_min=20)
    scene = Steered(tmp_path, clock, medium=waits)
    scene.start()
    scene.at(0)
    scene.order(Act.MEDIUM)
    scene.at(0.3)
    assert scene.microscope.core.z_um == -100
    scene.at(0.35)
    assert scene.microscope.core.z_um == 0
    (back,) = scene.source.reports()
    assert (back.number, back.act) == (None, Act.RESUME)
    assert back.outcome == "its time is over: objective back at 0 um, goes on"


def test_an_objective_that_does_not_come_back_keeps_it_held_and_is_tried_again(
    tmp_path: Path, clock: FakeClock
) -> None:
    waits = MediumConfig(lift_to_um=-100, wait_min=20)
    scene = Steered(tmp_path, clock, medium=waits)
    scene.start()
    scene.at(0)
    scene.order(Act.MEDIUM)
    move = scene.microscope.core.set_position

    def stuck(_label: str, _z_um: float) -> None:
        raise RuntimeError("stuck")

    scene.microscope.core.set_position = stuck  # type: ignore[assignment, method-assign]
    scene.at(0.5)
    (failed,) = scene.source.reports()
    assert failed.outcome.startswith("failed: focus cannot be moved to 0 um: focus (got stuck)")
    assert scene.order(Act.RESUME).startswith("failed: focus cannot be moved")
    scene.at(1)
    assert scene.acquired == [0]
    scene.microscope.core.set_position = move  # type: ignore[method-assign]
    scene.at(1.1)
    assert scene.acquired == [0, 1]


def test_without_a_height_to_go_to_there_is_no_medium_change(
    tmp_path: Path, clock: FakeClock
) -> None:
    scene = Steered(tmp_path, clock)
    scene.start()
    scene.at(0)
    line = "refused: medium.lift_to_um of the source says no height to move to"
    assert scene.order(Act.MEDIUM) == line
    assert scene.source.standing().held is None  # type: ignore[union-attr]


def test_a_microscope_that_is_away_moves_no_objective(tmp_path: Path, clock: FakeClock) -> None:
    scene = Steered(tmp_path, clock, medium=MEDIUM)
    scene.start()
    scene.at(0)
    scene.microscope.fail_first, scene.microscope.fail_open = 1, 5
    scene.at(1)
    assert scene.order(Act.MEDIUM) == "failed: time point 1: no camera"


def entry(number: int, act: Act, *, done: bool | None = True) -> JournalEntry:
    return JournalEntry(
        number=number,
        source="scope",
        run="HES 7",
        act=act,
        by="anna",
        at=T0,
        done=done,
        done_at=T0 if done is not None else None,
        height_um=7.0 if act is Act.MEDIUM else None,
    )


@pytest.mark.parametrize(
    ("acts", "held"),
    [
        ([], None),
        ([entry(1, Act.PAUSE)], 1),
        ([entry(1, Act.PAUSE), entry(2, Act.RESUME)], None),
        ([entry(1, Act.PAUSE), entry(2, Act.RESUME, done=False)], 1),
        ([entry(1, Act.PAUSE, done=None)], None),
        ([entry(1, Act.PAUSE), entry(2, Act.MEDIUM), entry(3, Act.NOTE)], 2),
    ],
)
def test_the_journal_says_what_holds_a_time_lapse(
    acts: list[JournalEntry], held: int | None
) -> None:
    found = holding(acts)
    assert (None if found is None else found.number) == held


def test_what_held_it_before_a_restart_holds_it_on(
    scene: Steered, tmp_path: Path, clock: FakeClock
) -> None:
    scene.source.stop()
    again = Steered(tmp_path, clock, time_points=5, medium=MEDIUM)
    again.source.restore(entry(1, Act.MEDIUM))
    again.start()
    again.at(2)
    assert again.acquired == []
    assert {line.partition(": ")[2] for line in missed(again)} == {
        "never acquired: medium change by anna, since 2026-03-01 09:00 UTC"
    }
    assert again.order(Act.RESUME) == "objective back at 7 um, goes on"
    assert again.acquired == [2]


def test_the_time_of_a_medium_change_goes_on_over_a_restart(
    scene: Steered, tmp_path: Path, clock: FakeClock
) -> None:
    scene.source.stop()
    waits = MediumConfig(lift_to_um=-100, wait_min=30)
    again = Steered(tmp_path, clock, time_points=5, medium=waits)
    again.source.restore(entry(1, Act.MEDIUM))
    again.start()
    again.at(0.4)
    assert again.source.standing().held is not None  # type: ignore[union-attr]
    again.at(0.6)
    assert again.source.standing().held is None  # type: ignore[union-attr]


def test_an_order_that_is_handed_over_twice_is_carried_out_once(scene: Steered) -> None:
    order = Order(number=7, act=Act.NOW, by="anna", at=T0)
    scene.source.order(order)
    scene.source.order(order)
    scene.source.acquire_due()
    assert [each.number for each in scene.source.reports()] == [7]


def test_the_status_shows_what_is_due_next(scene: Steered) -> None:
    standing = scene.source.standing()
    assert standing is not None
    assert (standing.source, standing.time_points) == ("micromanager", 5)
    assert standing.next_time_point == 1
    assert standing.next_at == T0 + timedelta(hours=1)
    assert standing.focus is None
