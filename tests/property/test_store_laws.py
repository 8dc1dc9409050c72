"""Laws of the result database, over many orders of events."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scopewatch.core.alerts.observation import Observation
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.alerts.serialisation import pack_state
from scopewatch.core.alerts.state_machine import AlertState, Change, step
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.store.schema.place import Place
from tests.conftest import FakeClock
from tests.postgres import Places
from tests.unit.store.scene import START, Scene, key, open_store, tables, ticket

SITES = 2
RULE = AlertRule(name="weak", target=0.5, from_day=0, consecutive=2, hysteresis=0.05)
FORECAST = AlertRule(name="heads for weak", kind=RuleKind.WEAK_FORECAST, target=0.5)
RULES = (
    RULE,
    FORECAST,
    AlertRule(name="dark", kind=RuleKind.UNFIT_FRAMES),
    AlertRule(name="jump", kind=RuleKind.SUDDEN_CHANGE),
)
PLATE_RULES = (
    *RULES,
    AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE),
    AlertRule(name="outlier", kind=RuleKind.OUTLIER_WELL),
)
FRACTIONS = st.sampled_from([0.05, 0.2, 0.6, 0.75])
# The outcome of a frame: its raw fraction, or None where it cannot be judged.
OUTCOMES = st.one_of(st.none(), FRACTIONS)
SOME = settings(
    max_examples=6,
    deadline=None,
    # `places` gives each example a place of its own.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
# Each example fills its own databases: a disk in memory, where there is one, is fast.
MEMORY = Path("/dev/shm")
DISK = MEMORY if MEMORY.is_dir() else None

KeyAndEfficiency = tuple[FrameKey, float | None]


def play(
    place: Place, events: Sequence[KeyAndEfficiency], rules: Sequence[AlertRule] = RULES
) -> list[str]:
    """Send frames through a store as the worker does; return what was announced."""
    scene = Scene(
        # Day 0 is given: otherwise it is the first judged frame, which depends on the order.
        store=open_store(place, FakeClock(), sites_per_well=SITES, started_at=START),
        place=place,
        rules=rules,
    )
    titles = []
    for frame, fraction in events:
        offered = ticket(frame)
        if not scene.store.claim(offered):
            continue
        if fraction is None:
            settled = scene.store.quarantine(offered, "blank", "it is blank")
        else:
            settled = scene.commit(offered, fraction)
        titles += [message.title for message in settled.alerts]
    scene.store.close()
    return titles


def played(
    places: Places, events: Sequence[KeyAndEfficiency], rules: Sequence[AlertRule] = RULES
) -> dict[str, list[tuple[Any, ...]]]:
    with tempfile.TemporaryDirectory(dir=DISK) as folder:
        place = places.of(Path(folder))
        play(place, events, rules)
        return tables(place)


@st.composite
def runs(
    draw: st.DrawFn, wells: Sequence[str] = ("A1", "B2")
) -> list[list[list[KeyAndEfficiency]]]:
    """Draw the outcomes of all sites per well and time point."""
    return [
        [
            [(key(well, time_point, site), draw(OUTCOMES)) for site in range(SITES)]
            for time_point in range(draw(st.integers(1, 4)))
        ]
        for well in wells
    ]


@SOME
@given(run=runs(), data=st.data())
def test_any_order_of_wells_and_sites_gives_the_same_tables(
    places: Places, run: list[list[list[KeyAndEfficiency]]], data: st.DataObject
) -> None:
    in_order = [event for well in run for moment in well for event in moment]
    # Time moves forward within a well; sites and other wells come in any order.
    queues = [
        [event for moment in well for event in data.draw(st.permutations(moment))] for well in run
    ]
    shuffled = []
    while any(queues):
        queue = data.draw(st.sampled_from([queue for queue in queues if queue]))
        shuffled.append(queue.pop(0))
    assert played(places, shuffled) == played(places, in_order)


@SOME
@given(run=runs(), data=st.data())
def test_repeating_what_is_settled_changes_nothing(
    places: Places, run: list[list[list[KeyAndEfficiency]]], data: st.DataObject
) -> None:
    once = [event for well in run for moment in well for event in moment]
    repeated = []
    for index, event in enumerate(once):
        repeated.append(event)
        repeated += data.draw(st.lists(st.sampled_from(once[: index + 1]), max_size=2))
    assert played(places, repeated) == played(places, once)


@SOME
@given(run=runs(wells=("A1",)))
def test_the_database_holds_the_alerts_that_the_rule_gives_for_the_estimates(
    places: Places,
    run: list[list[list[KeyAndEfficiency]]],
) -> None:
    with tempfile.TemporaryDirectory(dir=DISK) as folder:
        events = [event for moment in run[0] for event in moment]
        titles = play(place := places.of(Path(folder)), events, (RULE,))
        found = tables(place)
    at = FakeClock().now()
    state, expected = AlertState(), []
    estimates = {row[1]: row for row in found["well_estimates"]}
    for time_point in sorted(estimates):
        _, _, day, efficiency, *_ = estimates[time_point]
        seen = Observation(at=at, day=day, score=RULE.target - efficiency)
        state, transition = step(state, RULE, seen)
        if transition is not None:
            expected.append(transition.change)
    assert len(titles) == len(expected)
    raised = [row for row in found["alerts"] if row[5] is not None]
    assert len(raised) == expected.count(Change.RAISED)
    (row,) = found["rule_states"]
    kept = json.loads(row[5])
    # The evidence comes from the database; the state machine's result must be the same.
    for machine in (kept, wanted := pack_state(state)):
        machine.pop("last", None)
        machine.pop("at", None)
    assert kept == wanted


@SOME
@given(run=runs(wells=("A1", "A2", "A3", "A4", "A5", "A6")), data=st.data())
def test_a_plate_raises_the_same_alerts_for_any_order_of_its_sites(
    places: Places, run: list[list[list[KeyAndEfficiency]]], data: st.DataObject
) -> None:
    # Time point by time point, as from the inbox; sites of one come in any order.
    moments: dict[int, list[KeyAndEfficiency]] = {}
    for event in (event for well in run for moment in well for event in moment):
        moments.setdefault(event[0].time_point, []).append(event)
    in_order = [event for moment in sorted(moments) for event in moments[moment]]
    shuffled = [
        event for moment in sorted(moments) for event in data.draw(st.permutations(moments[moment]))
    ]
    found, expected = played(places, shuffled, PLATE_RULES), played(places, in_order, PLATE_RULES)
    assert found["rule_states"] == expected["rule_states"]
    assert found["alerts"] == expected["alerts"]


@SOME
@given(run=runs())
def test_every_frame_has_one_result_or_one_reason(
    places: Places, run: list[list[list[KeyAndEfficiency]]]
) -> None:
    events = [event for well in run for moment in well for event in moment]
    found = played(places, events)
    results = [(well, time_point, site) for well, time_point, site, *_ in found["results"]]
    reasons = [row[:3] for row in found["frames"] if row[10] is not None]
    expected = [(frame.well, frame.time_point, frame.site) for frame, _ in events]
    assert sorted(results + reasons) == sorted(expected)
    assert len(found["tile_scores"]) == len(results)
