"""APScheduler's scheduler, its intervals counted by a clock that never jumps.

APScheduler 3 compares the time of day with the `next_run_time` of each job. Where the clock is set
back, no job runs until it has caught up; where it is set far ahead, each run that seems to be
missed is counted one by one. Upstream relies on a right clock: issues 351, 526, 752 and 1066 of
github.com/agronholm/apscheduler. Here it may be set at any moment:

- a job of an interval keeps its distance: its `next_run_time` moves with the clock;
- a job of an hour of the day follows the clock: set back, it is due at the next of its hours;
- what is long overdue runs once, whatever its runs would have been.

Both classes use what APScheduler documents for extensions: a job store of one's own, asked for the
jobs that are due, and a scheduler of one's own, which waits for as long as it decides.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

# As `next_run_time`: due at once, whatever the time of day.
AT_ONCE: Final = datetime.fromtimestamp(0, UTC)
# The clock may be set while the scheduler reckons how long to wait, and while it waits.
LOOK_S: Final = 1.0
_NOISE: Final = timedelta(seconds=1)
_LONG: Final = timedelta(minutes=1)


class SteadyJobs(MemoryJobStore):  # type: ignore[misc] # apscheduler has no types
    """Jobs in memory, kept in step with the clock whenever it is asked which are due.

    Parameters
    ----------
    monotonic
        Seconds that never jump.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._monotonic = monotonic
        # The time of day minus the monotonic clock; None before the first look.
        self._ahead_s: float | None = None

    def get_due_jobs(self, now: datetime) -> list[Any]:
        """Return the jobs to run now, by the time of day that APScheduler goes by for this look."""
        ahead_s = now.timestamp() - self._monotonic()
        set_by = timedelta(seconds=ahead_s - (ahead_s if self._ahead_s is None else self._ahead_s))
        self._ahead_s = ahead_s
        for job in self.get_all_jobs():
            due_at = _due_at(job, now, set_by)
            if due_at != job.next_run_time:
                job.next_run_time = due_at
                self.update_job(job)
        return list(super().get_due_jobs(now))


class SteadyScheduler(BackgroundScheduler):  # type: ignore[misc] # apscheduler has no types
    """A scheduler in a thread of its own that looks at its jobs every second at least."""

    def _process_jobs(self) -> float:
        wait_s = super()._process_jobs()
        return LOOK_S if wait_s is None else min(float(wait_s), LOOK_S)


def _due_at(job: Any, now: datetime, set_by: timedelta) -> datetime:
    due_at: datetime = job.next_run_time
    if isinstance(job.trigger, IntervalTrigger):
        due_at += set_by
    elif due_at > now and set_by < -_NOISE:
        due_at = job.trigger.get_next_fire_time(None, now)
    return now if due_at < now - _LONG else due_at
