"""Laws of the steps of the store, over many orders of arrival and many ends of batches."""

import json
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scopewatch.core.alerts.plate import PlateFacts, PlateStep, step_plate
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.imaging.frame import FrameKey
from tests.conftest import FakeClock, HastyClock
from tests.unit.store.scene import START, Scene, key, open_store, tables, ticket

# The place where the store evaluates a plate.
STEPPING: Final = "scopewatch.monitoring.advance.step_plate"
SITES: Final = 2
SINGLE: Final = (
    AlertRule(name="weak", target=0.5, consecutive=2, hysteresis=0.05),
    AlertRule(name="heads for weak", kind=RuleKind.WEAK_FORECAST, target=0.5),
    AlertRule(name="dark", kind=RuleKind.UNFIT_FRAMES),
    AlertRule(name="jump", kind=RuleKind.SUDDEN_CHANGE),
    AlertRule(name="small jump", kind=RuleKind.SUDDEN_CHANGE, limit=0.2, wells=("A1",)),
)
JOINT: Final = (
    *SINGLE,
    AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE),
    AlertRule(name="outlier", kind=RuleKind.OUTLIER_WELL),
)
RULES: Final = st.sampled_from([SINGLE, JOINT])
WELLS: Final = ("A1", "A2", "B1")
SOME: Final = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Each example fills its own databases: a disk in memory, where there is one, is fast.
MEMORY = Path("/dev/shm")
DISK = MEMORY if MEMORY.is_dir() else None

# The outcome of a frame: its raw fraction, or None where it cannot be judged.
Event = tuple[FrameKey, float | None, str]
OUTCOMES: Final = st.one_of(st.none(), st.sampled_from([0.05, 0.2, 0.6, 0.75]))


@st.composite
def arrivals(draw: st.DrawFn, again: bool = True) -> list[Event]:
    """Draw frames of a plate in any order; some come again with another content."""
    frames = [
        key(well, time_point, site)
        for well in WELLS
        for time_point in range(draw(st.integers(2, 6)))
        for site in range(SITES)
    ]
    order = draw(st.permutations(frames)) if draw(st.booleans()) else sorted(frames, key=_moment)
    events: list[Event] = [(frame, draw(OUTCOMES), "1") for frame in order]
    for number in draw(st.lists(st.integers(0, len(events) - 1), max_size=3 * again)):
        frame, *_ = events[number]
        events.insert(draw(st.integers(number + 1, len(events))), (frame, draw(OUTCOMES), "2"))
    return events


def _moment(frame: FrameKey) -> tuple[int, str, int]:
    return frame.time_point, frame.well, frame.site


def send(scene: Scene, event: Event) -> None:
    """Record one frame as the worker does."""
    frame, fraction, content = event
    offered = ticket(frame, fingerprint=content)
    if not scene.store.claim(offered):
        return
    if fraction is None:
        scene.store.quarantine(offered, "blank", "it is blank")
    else:
        scene.commit(offered, fraction)


def catch_up(scene: Scene) -> None:
    """Do the work of the monitor's tick."""
    scene.store.let_time_pass()
    while scene.store.behind:
        scene.store.let_time_pass()


@SOME
@given(rules=RULES, events=arrivals(again=False), data=st.data())
def test_each_complete_time_point_is_stepped_exactly_once_in_order_whatever_the_order_of_arrival(
    rules: tuple[AlertRule, ...], events: list[Event], data: st.DataObject
) -> None:
    taken: list[tuple[str, str, int]] = []

    def watch(rules: Sequence[AlertRule], states: Any, facts: PlateFacts, **more: Any) -> PlateStep:
        days = {well.well: well.day for well in facts.wells}
        for rule in rules:
            taken.extend(
                # Two time points a day: the day of a frame that cannot be judged is calculated.
                (rule.name, well, round(2 * days[well]))
                for well in sorted(facts.fresh)
                if rule.kind.of_a_well and rule.covers("run 7", "p1", well)
            )
        return step_plate(rules, states, facts, **more)

    clock = FakeClock()
    settled_at: dict[tuple[str, int], int] = {}
    with tempfile.TemporaryDirectory(dir=DISK) as folder, patch(STEPPING, watch):
        store = open_store(Path(folder), clock, sites_per_well=SITES, started_at=START)
        scene = Scene(store=store, folder=Path(folder), rules=rules)
        for event in events:
            settled_at.setdefault((event[0].well, event[0].time_point), len(taken))
            send(scene, event)
            if data.draw(st.integers(0, 5)) == 0:
                clock.advance(data.draw(st.sampled_from([60, 4000])))
                store.let_time_pass()
        clock.advance(4000)
        store.let_time_pass()
        store.close()
    # A well on its own waits for ever for the sites of its last time point: all came.
    for rule in rules:
        for well in WELLS:
            stepped = [
                (place, at)
                for place, (name, where, at) in enumerate(taken)
                if (name, where) == (rule.name, well)
            ]
            moments = [at for _, at in stepped]
            assert moments == sorted(set(moments)), "once, and in order"
            if not (rule.kind.of_a_well and rule.covers("run 7", "p1", well)):
                continue
            for (where, at), known in settled_at.items():
                if where == well and at not in moments:
                    assert any(place < known and later > at for place, later in stepped)


def stored(scene: Scene) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of the database, without write times and the points of charts."""
    found = tables(scene.folder)
    for name, place in (("alerts", 7), ("alerts", 10), ("outbox", 2)):
        found[name] = [
            (*row[:place], _without_points(row[place]), *row[place + 1 :]) for row in found[name]
        ]
    return found


def _without_points(packed: str | None) -> Any:
    """Remove the points of a chart: a late alert shows what is known by then."""

    def cut(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: cut(each) for name, each in value.items() if name != "points"}
        return [cut(each) for each in value] if isinstance(value, list) else value

    return cut(json.loads(packed or "{}"))


@SOME
@given(rules=RULES, events=arrivals())
def test_batches_that_end_after_each_step_give_the_same_as_whole_ones(
    rules: tuple[AlertRule, ...], events: list[Event]
) -> None:
    found = []
    for clock in (FakeClock(), HastyClock()):
        with tempfile.TemporaryDirectory(dir=DISK) as folder:
            store = open_store(Path(folder), clock, sites_per_well=SITES, started_at=START)
            scene = Scene(store=store, folder=Path(folder), rules=rules)
            for event in events:
                send(scene, event)
                catch_up(scene)
            assert scene.rows("SELECT count(*) FROM wells WHERE behind") == [(0,)]
            store.close()
            found.append(stored(scene))
    whole, cut = found
    assert cut == whole


@SOME
@given(rules=RULES, events=arrivals())
def test_what_rules_remember_is_what_all_frames_of_the_well_say(
    rules: tuple[AlertRule, ...], events: list[Event]
) -> None:
    found = []
    for forget in (False, True):
        with tempfile.TemporaryDirectory(dir=DISK) as folder:
            store = open_store(Path(folder), FakeClock(), sites_per_well=SITES, started_at=START)
            scene = Scene(store=store, folder=Path(folder), rules=rules)
            for event in events:
                if forget:
                    with (
                        closing(sqlite3.connect(scene.folder / "scopewatch.db")) as database,
                        database,
                    ):
                        database.execute("UPDATE rule_states SET past_until = NULL")
                        database.execute("UPDATE well_outlooks SET filter = NULL")
                    database.close()
                send(scene, event)
            store.close()
            found.append(stored(scene))
    kept, made_again = found
    assert nearly(kept) == nearly(made_again)


def nearly(found: Any) -> Any:
    """Round numbers: a continued filter differs from a restarted one by rounding only."""
    if isinstance(found, float):
        return round(found, 9)
    if isinstance(found, str) and found.startswith("{"):
        return nearly(json.loads(found))
    if isinstance(found, dict):
        return {name: nearly(value) for name, value in found.items()}
    return [nearly(each) for each in found] if isinstance(found, list | tuple) else found
