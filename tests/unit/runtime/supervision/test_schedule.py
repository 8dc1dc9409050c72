import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from scopewatch.core.errors import StoreError
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from scopewatch.runtime.supervision.schedule import Schedule
from tests.conftest import FakeClock


@pytest.fixture
def heartbeats(clock: FakeClock) -> Heartbeats:
    return Heartbeats(clock, stall_s=1)


@pytest.fixture
def schedule(heartbeats: Heartbeats) -> Iterator[Schedule]:
    schedule = Schedule(heartbeats, beat_s=0.05)
    yield schedule
    schedule.stop()


def test_jobs_run_at_once_and_then_again_and_again(
    schedule: Schedule, eventually: Callable[..., None]
) -> None:
    rounds: list[str] = []
    schedule.every(0.05, "often", lambda: rounds.append("often"))
    schedule.every(3600, "rarely", lambda: rounds.append("rarely"))
    assert schedule.names == ["often", "rarely"]
    schedule.start()
    assert schedule.running()
    eventually(lambda: rounds.count("often") >= 3)
    assert rounds.count("rarely") == 1


def test_a_job_that_hangs_delays_neither_the_others_nor_the_heartbeat(
    schedule: Schedule,
    heartbeats: Heartbeats,
    clock: FakeClock,
    eventually: Callable[..., None],
) -> None:
    release = threading.Event()
    rounds: list[int] = []
    entered: list[int] = []

    def hang() -> None:
        entered.append(1)
        release.wait(20)

    schedule.every(0.02, "hangs", hang)
    schedule.every(0.02, "runs", lambda: rounds.append(1))
    schedule.start()
    eventually(lambda: len(rounds) >= 3)
    clock.advance(10)
    eventually(lambda: heartbeats.stalled() == {})
    assert len(entered) == 1
    schedule.stop()
    assert not schedule.wait_idle(0.01)
    release.set()
    assert schedule.wait_idle(10)


def test_a_job_that_fails_is_logged_and_runs_again(
    schedule: Schedule, eventually: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    rounds: list[int] = []

    def fail() -> None:
        rounds.append(1)
        raise ValueError("oh")

    schedule.every(0.02, "fails", fail)
    with caplog.at_level(logging.ERROR, logger="scopewatch.runtime.supervision.schedule"):
        schedule.start()
        eventually(lambda: len(rounds) >= 2)
        eventually(lambda: "scheduled job failed" in caplog.text)


def test_a_failed_job_is_reported_once_and_retried_soon_until_it_succeeds(
    schedule: Schedule,
    eventually: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    faults = ["disk full", "disk full", "disk full", "database is locked"]
    reported: list[list[str]] = []

    def sign() -> None:
        reported.append(list(schedule.troubles()))
        if faults:
            raise StoreError(faults.pop(0))

    # Its regular run would come in an hour.
    schedule.every(3600, "monitor", sign)
    with caplog.at_level(logging.ERROR, logger="scopewatch.runtime.supervision.schedule"):
        schedule.start()
        eventually(lambda: len(reported) >= 5 and not schedule.troubles(), within_s=30)
    before = ["monitor: disk full"]
    assert reported[:5] == [[], before, before, before, ["monitor: database is locked"]]
    assert caplog.text.count("scheduled job failed") == 2, "once for each reason"
    assert schedule._scheduler is not None
    job = schedule._scheduler.get_job("monitor")
    # Its regular runs are an hour apart again.
    eventually(lambda: job.next_run_time > datetime.now(UTC) + timedelta(minutes=50))


def test_stopping_waits_for_no_job_and_may_be_repeated(
    schedule: Schedule, heartbeats: Heartbeats, clock: FakeClock
) -> None:
    schedule.start()
    schedule.stop()
    schedule.stop()
    assert not schedule.running()
    clock.advance(100)
    assert heartbeats.stalled() == {}


def test_a_daily_job_runs_at_the_start_and_then_at_its_hour(
    schedule: Schedule, eventually: Callable[..., None]
) -> None:
    rounds: list[int] = []
    schedule.daily(8, "Asia/Tokyo", "digest", lambda: rounds.append(1))
    schedule.start()
    eventually(lambda: rounds)
    assert schedule._scheduler is not None
    next_at = schedule._scheduler.get_job("digest").next_run_time
    assert str(next_at.tzinfo) == "Asia/Tokyo"
    assert 8 <= next_at.hour <= 23
    assert next_at.minute % 10 == 0


def test_a_running_job_sees_that_a_stop_was_requested(
    schedule: Schedule, eventually: Callable[..., None]
) -> None:
    begun, ended = threading.Event(), threading.Event()

    def go_on() -> None:
        begun.set()
        while not schedule.stopping():
            threading.Event().wait(0.01)
        ended.set()

    schedule.every(3600, "long", go_on)
    schedule.start()
    assert begun.wait(10)
    assert not schedule.stopping()
    schedule.stop()
    assert ended.wait(10)
    assert schedule.wait_idle(10)
