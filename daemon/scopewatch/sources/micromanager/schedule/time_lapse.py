"""Which time point of a time-lapse is due, how often it is tried, and what passed by.

    due --its images came-----------------------------------> over
     '--images are missing--> tried again after 10, 20, 40 ... 600 s
                                '--the next one is due------> over, what is missing is a gap
                                '--8 tries, some of it came-> over, what is missing is a gap

Time points lie on a fixed grid from the first one, so that after an outage the time-lapse goes on
where the clock says. A camera that gives nothing at all may be away for an hour of twelve: it is
asked until the next time point. Where some images came and others do not, the devices work, and
going on would only wear them (each try loads them again).
"""

from datetime import datetime, timedelta
from typing import Final

from scopewatch.core.clock import Clock
from scopewatch.core.delays import doubling_s
from scopewatch.sources.micromanager.schedule.grid import Grid, Step

FIRST_WAIT_S: Final = 10.0
MOST_WAIT_S: Final = 600.0
TRIES: Final = 8


class HeldTime:
    """The time of day as it would be, had the clock not been set since it was held.

    So time points keep their distance whoever sets the clock. Before the first one the clock is
    followed: a machine may start with a wrong one, and be put right a minute later.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: tuple[datetime, float] | None = None

    def hold(self) -> None:
        """Follow the clock no more; idempotent."""
        if self._held is None:
            self._held = self._clock.now(), self._clock.steady()

    def now(self) -> datetime:
        """Return the time, aware UTC."""
        if self._held is None:
            return self._clock.now()
        at, at_s = self._held
        return at + timedelta(seconds=self._clock.steady() - at_s)


class TimeLapse:
    """The state of a time-lapse. Not thread-safe; time comes in as arguments.

    Parameters
    ----------
    interval_s, time_points, then
        The grid.
    """

    def __init__(self, *, interval_s: float, time_points: int, then: tuple[Step, ...] = ()) -> None:
        self._interval_s = interval_s
        self._then = then
        self.time_points = time_points
        self._why: dict[int, str] = {}
        self._tried = -1
        self._tries = 0
        self._not_before_s = float("-inf")
        self.grid: Grid | None = None
        self.over = -1

    @property
    def began_at(self) -> datetime | None:
        """When time point 0 was, by the grid as it is; None before it."""
        return None if self.grid is None else self.grid.time_of(0)

    def due(self, now: datetime, monotonic_s: float) -> int | None:
        """Return the time point to try now; None when there is none, or it is to wait.

        The first call begins the time-lapse where nothing is known of an earlier one.
        """
        self.grid = self.grid or self._from(now)
        index = self._at(now)
        if not self.over < index < self.time_points:
            return None
        if index != self._tried:
            self._tried, self._tries, self._not_before_s = index, 0, float("-inf")
        return index if monotonic_s >= self._not_before_s else None

    def done(self, index: int) -> None:
        """Note that a time point is complete."""
        self.over = max(self.over, index)

    def failed(self, index: int, why: str, monotonic_s: float, *, partly: bool) -> None:
        """Note that images of a time point did not come; `partly` when some of it did."""
        self._why[index] = why
        wait_s = doubling_s(self._tries, first_s=FIRST_WAIT_S, most_s=MOST_WAIT_S)
        self._tries += 1
        self._not_before_s = monotonic_s + wait_s
        if partly and self._tries >= TRIES:
            self.done(index)

    def pass_by(self, now: datetime, why: str) -> None:
        """Note which time points are over by now, and `why` those that nobody tried are missing."""
        if self.grid is None:
            return
        last = min(self._at(now), self.time_points) - 1
        for index in range(self.over + 1, last + 1):
            self._why.setdefault(index, why)
        self.over = max(self.over, last)

    def why(self, index: int) -> str:
        """Return why images of a time point that is over are missing."""
        return self._why.get(index, "it was not acquired")

    def _at(self, now: datetime) -> int:
        return (self.grid or self._from(now)).at(now)

    def _from(self, moment: datetime) -> Grid:
        return Grid(first=0, first_at=moment, interval_s=self._interval_s, then=self._then)
