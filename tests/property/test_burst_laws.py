"""Laws of the wait for bursts: scoring waits no longer than allowed, and no frame is lost."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopewatch.runtime.pipeline.burst_pause import STEP_S, Bursts
from tests.conftest import FakeClock
from tests.unit.runtime.bench import Bench
from tests.unit.runtime.fakes import make_ticket

WAIT_S = 10.0
# An action of a source, its number of images, and the seconds after it.
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["came", "begins", "goes_on", "over", "nothing"]),
        st.sampled_from(["one", "two"]),
        st.integers(0, 300),
        st.floats(0, 3),
        st.floats(0, 4),
    ),
    max_size=80,
)
Event = tuple[str, str, int, float, float]


def happen(bursts: Bursts, event: Event) -> None:
    what, source, images, over_s, _ = event
    if what == "came":
        bursts.images_saved(source, images, over_s)
    elif what == "begins":
        bursts.write_started(source)
    elif what == "goes_on":
        bursts.still_growing(source)
    elif what == "over":
        bursts.finished(source)


@given(EVENTS)
def test_scoring_waits_neither_beyond_its_limit_nor_most_of_the_time(
    events: Sequence[Event],
) -> None:
    clock = FakeClock()
    bursts = Bursts(clock, per_s=5, wait_s=WAIT_S)
    waited_s = worked_s = stretch_s = 0.0
    for event in events:
        happen(bursts, event)
        rest_s = event[-1]
        while rest_s > 0:
            hold_s = bursts.hold_s()
            assert 0 <= hold_s <= STEP_S
            if hold_s > 0:
                stretch_s += hold_s
                waited_s += hold_s
            else:
                stretch_s = 0.0
                hold_s = min(rest_s, 0.2)
                worked_s += hold_s
            clock.advance(hold_s)
            rest_s -= hold_s
            assert stretch_s <= WAIT_S + 1e-6
            assert waited_s <= WAIT_S + worked_s + 1e-6


@given(EVENTS, st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_a_worker_that_waits_scores_the_same_frames_in_the_same_order(
    events: Sequence[Event], time_points: Sequence[int]
) -> None:
    tickets = [make_ticket(f"{n}.tif", time_point=at) for n, at in enumerate(time_points)]
    orders = []
    for wait_s in (0.0, WAIT_S):
        clock = FakeClock()
        bursts = Bursts(clock, per_s=5, wait_s=wait_s)
        bench = Bench(clock=clock)
        bench.hold_s = bursts.hold_s
        for ticket in tickets:
            assert bench.inbox.offer(ticket)
        for event in events:
            happen(bursts, event)
            if bench.inbox.depth:
                bench.worker.work()
            clock.advance(event[-1])
        for _ in range(500):
            if not bench.inbox.depth:
                break
            bench.worker.work()
        orders.append([ticket.locator for ticket in bench.store.commits])
    assert orders[0] == orders[1]
    assert len(orders[1]) == len(tickets), "none is lost"


@pytest.mark.parametrize("per_s", [5.0, 30.0])
@given(gaps_s=st.lists(st.floats(1.0, 60.0), max_size=50))
def test_images_a_second_or_more_apart_are_never_waited_for(
    per_s: float, gaps_s: Sequence[float]
) -> None:
    clock = FakeClock()
    bursts = Bursts(clock, per_s=per_s, wait_s=WAIT_S)
    for gap_s in gaps_s:
        bursts.images_saved("scope", 1, 0.0)
        assert bursts.hold_s() == 0
        clock.advance(gap_s)
