"""The monitor catches up batch by batch, until the daemon stops or its time is over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from scopewatch.core.alerts.rules import AlertRule, Severity
from scopewatch.messages.message import Message
from scopewatch.runtime.process.restart_history import LivenessRecord
from scopewatch.runtime.supervision.monitor import CATCH_UP_S, TICK_S, FrameSeen, Monitor
from tests.conftest import FakeClock


@dataclass(frozen=True)
class Nothing:
    at: datetime | None = None
    newest_at: datetime | None = None
    day: float | None = None


@dataclass
class LongStore:
    """A database with a given number of due batches, each of which takes half a second."""

    clock: FakeClock
    due: int
    taken: int = 0
    signed: list[str] = field(default_factory=list)

    @property
    def behind(self) -> bool:
        return self.taken < self.due

    def let_time_pass(self, clock_right_for: timedelta | None) -> tuple[Message, ...]:
        self.taken += 1
        self.clock.advance(0.5)
        title = f"batch {self.taken}"
        return (Message(idempotency_key=title, severity=Severity.INFO, title=title, body=""),)

    def watch(self, observed: Sequence[Any]) -> tuple[Message, ...]:
        return ()

    def last_frame(self) -> FrameSeen:
        return Nothing()

    def record_liveness(self, name: str, at: datetime, detail: str = "") -> None:
        self.signed.append(name)

    def liveness(self) -> Mapping[str, LivenessRecord]:
        return {}


def monitor_of(store: LongStore, woken: list[int], stop_after: int = 10**6) -> Monitor:
    return Monitor(
        store,
        rules=[AlertRule(name="weak")],
        sources=[],
        run="run 7",
        final_day=10,
        interval_h=12,
        free_bytes={"state": lambda: 10**12},
        clock=store.clock,
        wake=lambda: woken.append(store.taken),
        stopping=lambda: store.taken >= stop_after,
    )


def test_all_that_is_due_is_done_batch_by_batch_and_each_wakes_the_delivery(
    clock: FakeClock,
) -> None:
    store, woken = LongStore(clock, due=5), list[int]()
    monitor_of(store, woken).tick()
    assert store.taken == 5
    assert woken == [1, 2, 3, 4, 5]


def test_no_batch_is_begun_once_the_daemon_is_to_stop(clock: FakeClock) -> None:
    store = LongStore(clock, due=1000)
    monitor = monitor_of(store, [], stop_after=3)
    monitor.tick()
    assert store.taken == 3
    monitor.end()
    assert store.signed == ["alive", "stopped"]


def test_a_tick_ends_before_the_next_one_is_due(clock: FakeClock) -> None:
    store = LongStore(clock, due=1000)
    monitor = monitor_of(store, [])
    monitor.tick()
    assert CATCH_UP_S <= clock.monotonic() < TICK_S
    before = store.taken
    monitor.tick()
    assert store.taken > before, "the next tick continues"
