"""Runs periodic jobs: the checks of sources, the monitor's rules, and a heartbeat of its own.

Most jobs run at a fixed interval of the monotonic clock, some at an hour of the day
(`steady_scheduler`). A job that could not run in time (the machine slept, the previous round still
ran) runs once, late, and never twice at a time. A job that failed, for example on a full disk, is
tried again with the next heartbeat, and `troubles` names it until it succeeds.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC
from functools import partial

from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from scopewatch.core.errors import ScopewatchError
from scopewatch.event_log import get_logger
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from scopewatch.runtime.supervision.steady_scheduler import AT_ONCE, SteadyJobs, SteadyScheduler

log = get_logger(__name__)

STAGE = "schedule"


class Schedule:
    """Runs jobs in threads of its own; each job has one, so that none waits for another's disk.

    Parameters
    ----------
    beat_s
        Seconds between heartbeats of the schedule itself; shorter where `stall_s` is short.
    monotonic
        Seconds that never jump; intervals are counted by them.
    """

    def __init__(
        self,
        heartbeats: Heartbeats,
        *,
        beat_s: float = 5.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._heartbeats = heartbeats
        self._monotonic = monotonic
        self._beat_s = min(beat_s, heartbeats.stall_s / 4)
        self._jobs: list[tuple[str, Callable[[], object], BaseTrigger]] = []
        self._scheduler: SteadyScheduler | None = None
        self._changed = threading.Condition()
        self._under_way = 0
        self._stopping = threading.Event()
        # Replaced, never changed: other threads read it.
        self._failing: dict[str, str] = {}

    def troubles(self) -> Sequence[str]:
        """Return which jobs failed at their last round, and why; any thread may ask."""
        return [f"{name}: {why}" for name, why in self._failing.items()]

    def every(self, seconds: float, name: str, job: Callable[[], object]) -> None:
        """Add a job that runs at once and then every so many seconds. Call before `start`."""
        self._jobs.append((name, job, IntervalTrigger(seconds=seconds, timezone=UTC)))

    def daily(self, hour: int, zone: str | None, name: str, job: Callable[[], object]) -> None:
        """Add a job that runs at once and then from an hour of each day on, every ten minutes.

        So that what failed at the hour, or was missed while the machine slept, still happens on
        that day: the job itself knows whether it has anything left to do. `zone` None is the zone
        of this machine.
        """
        trigger = CronTrigger(hour=f"{hour}-23", minute="*/10", timezone=zone)
        self._jobs.append((name, job, trigger))

    @property
    def names(self) -> Sequence[str]:
        """Names of the jobs entered."""
        return [name for name, _, _ in self._jobs]

    def stopping(self) -> bool:
        """Whether the end was asked for: a job that takes long then leaves the rest."""
        return self._stopping.is_set()

    def running(self) -> bool:
        """Whether jobs are still being started."""
        return self._scheduler is not None and bool(self._scheduler.running)

    def start(self) -> None:
        """Begin; each job runs for the first time now."""
        self._stopping.clear()
        beat = IntervalTrigger(seconds=self._beat_s, timezone=UTC)
        jobs = [*self._jobs, (STAGE, self._beat, beat)]
        scheduler = SteadyScheduler(
            timezone=UTC,
            jobstores={"default": SteadyJobs(self._monotonic)},
            executors={"default": ThreadPoolExecutor(max_workers=len(jobs))},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        scheduler.add_listener(self._note_failure, EVENT_JOB_ERROR)
        self._heartbeats.beat(STAGE)
        for name, job, trigger in jobs:
            scheduler.add_job(
                partial(self._run, name, job), trigger, id=name, next_run_time=AT_ONCE
            )
        scheduler.start()
        self._scheduler = scheduler

    def stop(self) -> None:
        """Start nothing more; what is under way is left to end by itself, see `wait_idle`."""
        self._stopping.set()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None
        self._heartbeats.leave(STAGE)

    def wait_idle(self, within_s: float) -> bool:
        """Wait until no job is under way; False when one still is after `within_s`.

        The process cannot end in order before: Python waits for the threads of such a pool.
        """
        with self._changed:
            return self._changed.wait_for(lambda: self._under_way == 0, within_s)

    def _run(self, name: str, job: Callable[[], object]) -> None:
        with self._changed:
            self._under_way += 1
        try:
            job()
        except ScopewatchError as error:
            # Its line says it all: APScheduler would add a traceback at each round.
            self._note(name, error)
        else:
            self._note(name, None)
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _note_failure(self, event: JobExecutionEvent) -> None:
        self._note(event.job_id, event.exception)

    def _note(self, name: str, error: BaseException | None) -> None:
        with self._changed:
            before = self._failing.get(name)
            others = {each: why for each, why in self._failing.items() if each != name}
            why = "" if error is None else str(error) or type(error).__name__
            self._failing = {**others, name: why} if why else others
        if not why:
            return
        if why != before:
            # Not at each round: on a full disk the log would help to keep it full.
            log.error("scheduled job failed", job=name, error=error)

    def _beat(self) -> None:
        self._heartbeats.beat(STAGE)
        # Not as a job ends: it may be over before the scheduler has set its next round.
        scheduler = self._scheduler
        if scheduler is None:
            return
        for name in self._failing:
            # Gone where the schedule was stopped meanwhile.
            with suppress(JobLookupError):
                scheduler.modify_job(name, next_run_time=AT_ONCE)
