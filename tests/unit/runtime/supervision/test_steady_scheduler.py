"""The schedule while the time of day is set: intervals keep their length, daily jobs their hour."""

import datetime as clocks
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import apscheduler.schedulers.base
import pytest
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from scopewatch.runtime.supervision.heartbeats import Heartbeats
from scopewatch.runtime.supervision.schedule import Schedule
from scopewatch.runtime.supervision.steady_scheduler import (
    AT_ONCE,
    LOOK_S,
    SteadyJobs,
    SteadyScheduler,
)
from tests.conftest import FakeClock

HOUR_S = 3600.0
SETS_S = (-2 * HOUR_S, 2 * HOUR_S, -20 * 365 * 24 * HOUR_S, 20 * 365 * 24 * HOUR_S)


class Wall(clocks.datetime):
    """The time of day as APScheduler reads it, ahead of the machine's by `ahead`."""

    ahead = timedelta(0)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Wall":
        return datetime.now(tz) + cls.ahead  # type: ignore[return-value]


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Wall]]:
    monkeypatch.setattr(apscheduler.schedulers.base, "datetime", Wall)
    yield Wall
    Wall.ahead = timedelta(0)


class Jobs:
    """The job store as the scheduler uses it, with a clock that the test sets.

    `look` runs what is due, as `BaseScheduler._process_jobs` does.
    """

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.store = SteadyJobs(clock.monotonic)
        # Never started: it only creates jobs.
        self._scheduler = SteadyScheduler(timezone=UTC, jobstores={"default": self.store})

    def add(self, name: str, trigger: Any, next_run_time: datetime = AT_ONCE) -> None:
        job = self._scheduler.add_job(dict, trigger, id=name, next_run_time=next_run_time)
        self.store.add_job(job)

    def look(self) -> dict[str, int]:
        """Return which jobs are due, and how many of their runs were counted."""
        now, ran = self.clock.now(), {}
        for job in self.store.get_due_jobs(now):
            times = job._get_run_times(now)
            ran[job.id] = len(times)
            job.next_run_time = job.trigger.get_next_fire_time(times[-1], now)
            self.store.update_job(job)
        return ran

    def due_in_s(self, name: str) -> float:
        due_at: datetime = self.store.lookup_job(name).next_run_time
        return (due_at - self.clock.now()).total_seconds()


@pytest.fixture
def jobs(clock: FakeClock) -> Jobs:
    jobs = Jobs(clock)
    jobs.add("rescan", IntervalTrigger(seconds=30, timezone=UTC))
    jobs.add("hourly", IntervalTrigger(seconds=3600, timezone=UTC))
    jobs.add("digest", CronTrigger(hour="8-23", minute="*/10", timezone="Asia/Tokyo"))
    return jobs


def test_all_jobs_run_at_once_and_then_in_their_turn(jobs: Jobs, clock: FakeClock) -> None:
    # 18:00 in Tokyo.
    assert jobs.look() == {"rescan": 1, "hourly": 1, "digest": 1}
    assert jobs.look() == {}
    clock.advance(29.5)
    assert jobs.look() == {}
    clock.advance(0.5)
    assert jobs.look() == {"rescan": 1}
    clock.advance(570)
    assert jobs.look() == {"rescan": 1, "digest": 1}


@pytest.mark.parametrize("by_s", SETS_S)
def test_an_interval_does_not_change_when_the_clock_is_set(
    jobs: Jobs, clock: FakeClock, by_s: float
) -> None:
    jobs.look()
    clock.advance(20)
    clock.set_by(by_s)
    ran = jobs.look()
    assert "rescan" not in ran
    assert "hourly" not in ran
    clock.advance(9.9)
    assert "rescan" not in jobs.look()
    clock.advance(0.1)
    assert jobs.look() == {"rescan": 1}
    clock.set_by(-by_s)
    jobs.look()
    clock.advance(30)
    assert jobs.look()["rescan"] == 1
    assert jobs.due_in_s("hourly") == pytest.approx(3600 - 60, abs=1e-3)


def test_a_clock_that_is_set_again_and_again_costs_no_job_its_turn(
    jobs: Jobs, clock: FakeClock
) -> None:
    jobs.look()
    ran = 0
    for step in range(600):
        clock.advance(1)
        clock.set_by(-7000 if step % 2 else 6990)
        ran += jobs.look().get("rescan", 0)
    assert ran == 20


def test_an_hour_of_the_day_is_that_of_the_clock_as_it_is_set(jobs: Jobs, clock: FakeClock) -> None:
    clock.wall = datetime(2026, 3, 1, 14, 55, tzinfo=UTC)  # 23:55 in Tokyo
    jobs.look()
    assert jobs.due_in_s("digest") == (8 * 60 + 5) * 60, "at 8 in the morning"
    clock.set_by(-2 * HOUR_S)
    assert jobs.look() == {}
    assert jobs.due_in_s("digest") == 5 * 60, "it is 21:55 again"
    clock.set_by(11 * HOUR_S)
    assert jobs.look() == {"digest": 1}, "8:55: it was due at 8"


@pytest.mark.parametrize("away_s", [30 * 24 * HOUR_S, 56 * 365 * 24 * HOUR_S])
def test_runs_that_were_missed_are_one(jobs: Jobs, clock: FakeClock, away_s: float) -> None:
    # As on a machine without a clock battery, which starts in 1970.
    clock.wall = datetime(2026, 3, 1, 9, tzinfo=UTC) - timedelta(seconds=away_s)
    jobs.look()
    clock.set_by(away_s)
    assert jobs.look() == {"digest": 1}
    clock.advance(away_s)
    assert jobs.look() == {"rescan": 1, "hourly": 1, "digest": 1}


def test_a_job_that_is_moved_to_now_runs_at_once_at_any_clock_time(
    jobs: Jobs, clock: FakeClock
) -> None:
    jobs.look()
    clock.set_by(-2 * HOUR_S - 60)
    jobs.store.lookup_job("hourly").next_run_time = AT_ONCE
    jobs.store.update_job(jobs.store.lookup_job("hourly"))
    assert jobs.look() == {"hourly": 1}


@pytest.mark.parametrize("by_s", SETS_S)
def test_the_real_scheduler_goes_on_in_its_time(
    wall: type[Wall],
    clock: FakeClock,
    eventually: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    by_s: float,
) -> None:
    heartbeats = Heartbeats(clock, stall_s=1)
    schedule = Schedule(heartbeats, beat_s=0.05)
    rounds: list[int] = []
    rare: list[int] = []
    schedule.every(0.05, "often", lambda: rounds.append(1))
    schedule.every(3600, "rarely", lambda: rare.append(1))
    with caplog.at_level(logging.WARNING):
        schedule.start()
        eventually(lambda: len(rounds) >= 3 and rare)
        wall.ahead = timedelta(seconds=by_s)
        # Each heartbeat is overdue from here on, until it comes again.
        clock.advance(10)
        before = len(rounds)
        eventually(lambda: len(rounds) >= before + 5 and heartbeats.stalled() == {})
        wall.ahead = timedelta(0)
        before = len(rounds)
        eventually(lambda: len(rounds) >= before + 5)
        schedule.stop()
    assert len(rare) == 1
    assert schedule.wait_idle(10)
    assert caplog.text == ""


def test_a_clock_set_while_the_wait_is_reckoned_costs_a_second(
    wall: type[Wall], monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = SteadyScheduler(timezone=UTC, jobstores={"default": SteadyJobs(lambda: 0.0)})
    scheduler.start(paused=True)
    scheduler.add_job(dict, IntervalTrigger(seconds=5, timezone=UTC))
    seen: list[datetime] = []

    def now(tz: tzinfo | None = None) -> datetime:
        # The clock is set back between the check of the jobs and the end of the round.
        seen.append(datetime(2026, 3, 1, 9, tzinfo=UTC) - timedelta(hours=2 * len(seen)))
        return seen[-1]

    monkeypatch.setattr(wall, "now", now)
    monkeypatch.setattr(scheduler, "state", apscheduler.schedulers.base.STATE_RUNNING)
    assert scheduler._process_jobs() == LOOK_S
    assert len(seen) == 2
    scheduler.shutdown(wait=False)
