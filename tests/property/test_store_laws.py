"""Laws of the result database, over many orders of events."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scopewatch.core.alert import AlertRule, AlertState, Change, Observation, step
from scopewatch.core.frame import FrameKey
from tests.conftest import FakeClock
from tests.unit.store.scene import Scene, key, open_store, tables, ticket

SITES = 2
RULE = AlertRule(name="weak", target=0.5, from_day=0, consecutive=2, hysteresis=0.05)
FRACTIONS = st.sampled_from([0.05, 0.2, 0.6, 0.75])
# What becomes of a frame: its raw fraction, or None where it cannot be judged.
OUTCOMES = st.one_of(st.none(), FRACTIONS)
SOME = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Each example fills databases of its own: where there is a disk in memory, that is fast.
MEMORY = Path("/dev/shm")
DISK = MEMORY if MEMORY.is_dir() else None

Outcome = tuple[FrameKey, float | None]


def play(folder: Path, events: Sequence[Outcome]) -> list[str]:
    """Send frames through a store as the worker does; return what was announced."""
    scene = Scene(
        store=open_store(folder, FakeClock(), sites_per_well=SITES),
        folder=folder,
        rules=(RULE,),
    )
    said = []
    for frame, fraction in events:
        offered = ticket(frame)
        if not scene.store.claim(offered, scene.rules):
            continue
        if fraction is None:
            settled = scene.store.quarantine(offered, "blank", "it is blank", scene.rules)
        else:
            settled = scene.commit(offered, fraction)
        said += [message.title for message in settled.alerts]
    scene.store.close()
    return said


def played(events: Sequence[Outcome]) -> dict[str, list[tuple[Any, ...]]]:
    with tempfile.TemporaryDirectory(dir=DISK) as folder:
        play(Path(folder), events)
        return tables(Path(folder))


@st.composite
def runs(draw: st.DrawFn, wells: Sequence[str] = ("A1", "B2")) -> list[list[list[Outcome]]]:
    """Per well and time point, the outcomes of all sites."""
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
    run: list[list[list[Outcome]]], data: st.DataObject
) -> None:
    in_order = [event for well in run for moment in well for event in moment]
    # Time goes forward within a well; its sites and the other wells come in any order.
    queues = [
        [event for moment in well for event in data.draw(st.permutations(moment))] for well in run
    ]
    shuffled = []
    while any(queues):
        queue = data.draw(st.sampled_from([queue for queue in queues if queue]))
        shuffled.append(queue.pop(0))
    assert played(shuffled) == played(in_order)


@SOME
@given(run=runs(), data=st.data())
def test_repeating_what_is_settled_changes_nothing(
    run: list[list[list[Outcome]]], data: st.DataObject
) -> None:
    once = [event for well in run for moment in well for event in moment]
    repeated = []
    for index, event in enumerate(once):
        repeated.append(event)
        repeated += data.draw(st.lists(st.sampled_from(once[: index + 1]), max_size=2))
    assert played(repeated) == played(once)


@SOME
@given(run=runs(wells=("A1",)))
def test_the_database_says_what_the_rule_says_of_the_estimates(
    run: list[list[list[Outcome]]],
) -> None:
    with tempfile.TemporaryDirectory(dir=DISK) as folder:
        said = play(Path(folder), [event for moment in run[0] for event in moment])
        found = tables(Path(folder))
    state, expected = AlertState(), []
    estimates = {row[1]: row for row in found["well_estimates"]}
    for time_point in sorted(estimates):
        _, _, day, efficiency, *_ = estimates[time_point]
        state, transition = step(state, RULE, Observation(day=day, efficiency=efficiency))
        if transition is not None:
            expected.append(transition.change)
    changes = [Change.RAISED if "weak" in title else Change.RESOLVED for title in said]
    assert changes == expected
    assert [(row[3], row[4]) for row in found["alert_states"]] == [(state.raised, state.streak)]


@SOME
@given(run=runs())
def test_every_frame_has_one_result_or_one_reason(run: list[list[list[Outcome]]]) -> None:
    events = [event for well in run for moment in well for event in moment]
    found = played(events)
    results = [(well, time_point, site) for well, time_point, site, *_ in found["results"]]
    reasons = [row[:3] for row in found["frames"] if row[10] is not None]
    expected = [(frame.well, frame.time_point, frame.site) for frame, _ in events]
    assert sorted(results + reasons) == sorted(expected)
    assert len(found["tile_scores"]) == len(results)
