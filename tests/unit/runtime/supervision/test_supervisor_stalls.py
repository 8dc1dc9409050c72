"""The supervisor and hung stages: with systemd's watchdog, before it begins, without it."""

import pytest

from scopewatch.core.errors import SourceError
from scopewatch.runtime.supervision.stages import ExitReport
from tests.conftest import FakeClock
from tests.unit.runtime.supervised import Daemon


def test_the_watchdog_is_fed_at_half_its_time(daemon: Daemon) -> None:
    daemon.start()
    for _ in range(9):
        daemon.supervisor.tick()
        daemon.clock.advance(0.5)
    # At 0, 2 and 4 s.
    assert daemon.systemd.count("WATCHDOG=1") == 3


def test_a_stalled_stage_keeps_the_watchdog_unfed_until_it_continues(
    daemon: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    daemon.start()
    daemon.watcher.check()
    daemon.heartbeats.beat("worker")
    daemon.supervisor.tick()
    fed = daemon.systemd.count("WATCHDOG=1")
    for _ in range(30):
        daemon.clock.advance(1)
        daemon.watcher.check()
        daemon.supervisor.tick()
    starved = daemon.systemd.count("WATCHDOG=1")
    # Fed every 2 s until the worker had been silent for more than 10 s.
    assert starved - fed == 5
    assert daemon.supervisor.condition().complaints == ("worker has made no progress for 30 s",)
    assert caplog.messages.count("stage makes no progress") == 1
    daemon.heartbeats.beat("worker")
    daemon.supervisor.tick()
    assert daemon.systemd.count("WATCHDOG=1") == starved + 1
    assert "all stages make progress again" in caplog.messages


def test_without_a_watchdog_a_stall_that_lasts_ends_the_daemon(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    daemon = Daemon(clock=clock, watchdog_s=None, end_on_stall_s=5)
    daemon.start()
    daemon.heartbeats.beat("worker")
    for _ in range(16):
        assert daemon.supervisor.tick() is None
        daemon.watcher.check()
        clock.advance(1)
    # The stall is seen from 11 s on, for 5 s.
    failure = daemon.supervisor.tick()
    assert failure is not None
    assert (failure.stage, failure.hung) == ("worker", True)
    assert caplog.messages[-1] == "stage hangs: scopewatch ends, to be started again"


def test_a_watchdog_that_has_not_begun_leaves_a_stall_to_the_daemon(clock: FakeClock) -> None:
    daemon = Daemon(clock=clock, watchdog_s=60, end_on_stall_s=5)
    daemon.start()
    daemon.source.start_failures = [SourceError("folder does not exist")]
    daemon.watcher.check()
    # The source hangs from here on and is never ready.
    for _ in range(16):
        assert daemon.supervisor.tick() is None
        clock.advance(1)
    failure = daemon.supervisor.tick()
    assert failure is not None
    assert (failure.stage, failure.hung) == ("source folder", True)


def test_a_watchdog_that_has_begun_ends_a_stall_itself(clock: FakeClock) -> None:
    daemon = Daemon(clock=clock, watchdog_s=60, end_on_stall_s=5)
    daemon.start()
    daemon.watcher.check()
    for _ in range(120):
        assert daemon.supervisor.tick() is None
        clock.advance(1)
    assert daemon.supervisor.condition().ready
    assert not daemon.supervisor.condition().well


def test_a_stall_that_ends_in_time_ends_nothing(clock: FakeClock) -> None:
    daemon = Daemon(clock=clock, watchdog_s=None, end_on_stall_s=5)
    daemon.start()
    for second in range(60):
        daemon.watcher.check()
        if second % 15 == 0:
            daemon.heartbeats.beat("worker")
        assert daemon.supervisor.tick() is None
        clock.advance(1)


def test_a_machine_that_slept_has_time_to_wake_up(clock: FakeClock) -> None:
    daemon = Daemon(clock=clock, watchdog_s=None, end_on_stall_s=5)
    daemon.start()
    daemon.heartbeats.beat("worker")
    daemon.supervisor.tick()
    clock.advance(3600)
    assert daemon.supervisor.tick() is None
    daemon.heartbeats.beat("worker")
    clock.advance(6)
    assert daemon.supervisor.tick() is None


def test_a_hung_stage_is_distinguished_from_one_that_ended(clock: FakeClock) -> None:
    daemon = Daemon(clock=clock, watchdog_s=None, end_on_stall_s=0)
    daemon.worker.in_time = False
    daemon.heartbeats.beat("worker")
    clock.advance(11)
    assert daemon.supervisor.run() == ExitReport(failed_stage="worker", clean=False, hung=True)
    assert daemon.diary[-2:] == ["stop worker", "stop web"]
