"""A worker that waits while a microscope saves images."""

import threading
from collections.abc import Callable

from scopewatch.runtime.pipeline.outcome import FrameOutcome
from tests.conftest import FakeClock
from tests.unit.runtime.bench import Bench
from tests.unit.runtime.fakes import make_ticket


def test_no_frame_is_taken_up_while_it_is_to_wait(bench: Bench) -> None:
    bench.inbox.offer(make_ticket())
    bench.hold_s = lambda: 0.25
    assert [bench.worker.work() for _ in range(3)] == [None] * 3
    assert (bench.pauses, bench.inbox.depth, bench.store.claims) == ([0.25] * 3, 1, [])
    bench.hold_s = float
    assert bench.drain() == [FrameOutcome.SCORED]


def test_a_frame_that_comes_with_a_burst_waits(bench: Bench) -> None:
    bench.inbox.offer(make_ticket())
    answers = [0.0, 0.25]
    bench.hold_s = lambda: answers.pop(0)
    assert bench.worker.work() is None
    assert (answers, bench.inbox.depth, bench.store.claims) == ([], 1, [])


def test_waiting_for_the_microscope_is_no_stall(bench: Bench) -> None:
    bench.hold_s = lambda: 25.0
    for _ in range(4):
        bench.worker.work()
        assert bench.heartbeats.stalled() == {}


def test_stopping_ends_the_wait_for_the_microscope(
    clock: FakeClock, eventually: Callable[..., None]
) -> None:
    bench = Bench(clock=clock)
    asked = threading.Event()

    def hold_s() -> float:
        asked.set()
        return 50.0

    bench.hold_s = hold_s
    bench.worker._wait = bench.worker._stopping.wait
    bench.inbox.offer(make_ticket())
    bench.worker.start()
    eventually(asked.is_set)
    assert bench.worker.stop(5)
    assert bench.store.claims == []
