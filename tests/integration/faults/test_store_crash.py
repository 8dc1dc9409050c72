"""A transaction is cut at any statement; afterwards every effect is there exactly once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from scopewatch.core.alerts.monitor import no_frames
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.store.schema.place import Place
from tests.conftest import FakeClock
from tests.integration.crashes import PowerCutError, leaves_connections
from tests.postgres import Places
from tests.unit.store.scene import START, Scene, key, open_store, tables, ticket

pytestmark = leaves_connections


@contextmanager
def cut_at(statement: int) -> Iterator[list[str]]:
    """Cut the power before the n-th statement that any database connection executes."""
    seen: list[str] = []

    def count(_connection: object, _cursor: object, text: str, *_: object) -> None:
        seen.append(text)
        if len(seen) == statement:
            raise PowerCutError(text)

    def count_commit(_connection: object) -> None:
        count(None, None, "COMMIT")

    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", count_commit)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", count)
        event.remove(Engine, "commit", count_commit)


def place_of(scene: Scene) -> Place:
    assert scene.place is not None
    return scene.place


def settle(scene: Scene) -> None:
    """Make the commit that raises the alert: it writes everything a commit can write."""
    scene.commit(ticket(key(time_point=1)), 0.1)


def prepare(place: Place) -> Scene:
    scene = Scene(store=open_store(place, FakeClock()), place=place)
    scene.score(key(time_point=0), 0.1)
    scene.store.claim(ticket(key(time_point=1)))
    return scene


def test_a_commit_cut_at_any_statement_leaves_nothing_and_is_repeated_whole(
    tmp_path: Path, places: Places
) -> None:
    whole = prepare(places.of(tmp_path / "whole"))
    with cut_at(0) as statements:
        settle(whole)
    expected = tables(place_of(whole))
    whole.store.close()
    assert len(expected["outbox"]) == 1
    assert len(statements) > 15
    assert statements[-1] == "COMMIT"
    scene = prepare(places.of(tmp_path / "cut"))
    before = tables(place_of(scene))
    # The statements before the writing transaction only read the day; each is cut too.
    for statement in range(1, len(statements) + 1):
        with cut_at(statement), pytest.raises(PowerCutError):
            settle(scene)
        assert tables(place_of(scene)) == before, statements[statement - 1]
    settle(scene)
    assert tables(place_of(scene)) == expected
    scene.store.close()


PLATE = ("A1", "A2", "A3", "A4", "A5", "A6")
PLATE_RULES = (
    AlertRule(name="soon", kind=RuleKind.WEAK_FORECAST, escalate_after_h=24),
    AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE, escalate_after_h=24),
)
NO_FRAMES = AlertRule(name="no-frames", kind=RuleKind.NO_FRAMES)


def prepare_plate(place: Place) -> Scene:
    """Prepare a plate of weak wells, one frame before its collapse."""
    store = open_store(place, FakeClock(), started_at=START)
    scene = Scene(store=store, place=place, rules=PLATE_RULES)
    for time_point in (10, 11):
        for well in PLATE[: 6 if time_point == 10 else 5]:
            scene.score(key(well, time_point), 0.75 if time_point == 10 else 0.1)
    store.claim(ticket(key(PLATE[-1], 11)))
    return scene


def close_the_round(scene: Scene) -> None:
    scene.commit(ticket(key(PLATE[-1], 11)), 0.1)


def let_a_day_pass(scene: Scene) -> None:
    let_time_pass(scene, 25)


def step_a_silent_plate(scene: Scene) -> None:
    let_time_pass(scene, 2)


def let_time_pass(scene: Scene, hours: float) -> None:
    later = open_store(place_of(scene), FakeClock(), rules=PLATE_RULES, started_at=START)
    later._clock.advance(3600 * hours)  # type: ignore[attr-defined]  # the fake one above
    try:
        later.let_time_pass()
    finally:
        later.close()


def find_silence(scene: Scene) -> None:
    at = FakeClock().now()
    seen = no_frames(at=at, last_frame_at=at - timedelta(hours=30), interval_h=12, expected=True)
    scene.store.watch([(NO_FRAMES, seen)])


@pytest.mark.parametrize("act", [close_the_round, let_a_day_pass, find_silence])
def test_a_step_of_plate_clock_or_monitor_cut_anywhere_is_repeated_whole(
    tmp_path: Path, places: Places, act: Callable[[Scene], None]
) -> None:
    whole = prepare_plate(places.of(tmp_path / "whole"))
    if act is let_a_day_pass:
        close_the_round(whole)
    before = tables(place_of(whole))
    with cut_at(0) as statements:
        act(whole)
    expected = tables(place_of(whole))
    assert len(expected["outbox"]) == len(before["outbox"]) + 1
    whole.store.close()
    scene = prepare_plate(places.of(tmp_path / "cut"))
    if act is let_a_day_pass:
        close_the_round(scene)
    # Every third statement: each cut reads all tables, and the cuts are alike.
    for statement in (*range(1, len(statements), 3), len(statements)):
        with cut_at(statement), pytest.raises(PowerCutError):
            act(scene)
        assert tables(place_of(scene)) == before, statements[statement - 1]
    act(scene)
    assert tables(place_of(scene)) == expected
    act(scene)
    assert tables(place_of(scene)) == expected, "once in effect, however often it is repeated"
    scene.store.close()


def test_a_silent_plate_cut_anywhere_has_been_stepped_whole_or_not_at_all(
    tmp_path: Path, places: Places
) -> None:
    prepared = prepare_plate(places.of(tmp_path / "prepared"))
    before = tables(place_of(prepared))
    prepared.store.close()

    def again(name: str) -> Scene:
        places.copy(tmp_path / "prepared", tmp_path / name)
        return replace(prepared, place=places.of(tmp_path / name))

    whole = again("whole")
    with cut_at(0) as statements:
        step_a_silent_plate(whole)
    expected = tables(place_of(whole))
    assert (len(expected["alerts"]), len(expected["outbox"])) == (1, 1)
    found = []
    for statement in (*range(1, len(statements), 3), len(statements)):
        cut = again(f"cut {statement}")
        with cut_at(statement), pytest.raises(PowerCutError):
            step_a_silent_plate(cut)
        found.append(tables(place_of(cut)))
        step_a_silent_plate(cut)
        assert tables(place_of(cut)) == expected
    # The step is one transaction; changes by the clock alone are another.
    stepped = found.index(expected)
    assert found == [before] * stepped + [expected] * (len(found) - stepped)


def test_an_acquisition_keeps_its_number_over_a_restart(tmp_path: Path, places: Places) -> None:
    store = open_store(places.of(tmp_path), FakeClock())
    assert [store.acquisition("ndtiff", "HES7_1", name) for name in "aba"] == [1, 2, 1]
    store.close()
    again = open_store(places.of(tmp_path), FakeClock())
    assert [again.acquisition("ndtiff", "HES7_1", name) for name in "bac"] == [2, 1, 3]
    assert again.acquisition("ndtiff", "HES7_2", "c") == 1
    again.close()
