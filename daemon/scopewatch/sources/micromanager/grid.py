"""When the time points of a time-lapse are due, and what a changed plan makes of it. Pure.

Time points lie at equal distances from one of them on. A plan that is changed by a reload or a
restart goes on with the next time point: its interval counts from the last one, and what it adds
(positions, channels, time points) begins now, so that no gap is told of what nobody had planned.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

Image = tuple[str, str | None]  # position label, channel: what is taken at each time point

# What a reload interrupted is finished before the time points of the changed plan begin.
FINISH_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Time points `first`, at `first_at`, and on, `interval_s` apart."""

    first: int
    first_at: datetime
    interval_s: float

    def at(self, now: datetime) -> int:
        """Return the time point that is due or under way; the one before `first` until that is."""
        passed = (now - self.first_at) // timedelta(seconds=self.interval_s)
        return self.first + max(passed, -1)

    def time_of(self, index: int) -> datetime:
        """Return when a time point is due."""
        return self.first_at + timedelta(seconds=(index - self.first) * self.interval_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A time-lapse as it was planned so far.

    Parameters
    ----------
    began_at
        When time point 0 was.
    over
        The last time point that is not acquired any more; -1 before the first is over.
    since
        The first time point of each image that is taken.
    """

    grid: Grid
    began_at: datetime
    time_points: int
    since: Mapping[Image, int]
    over: int = -1


def begun(grid: Grid, time_points: int, images: Iterable[Image]) -> Planned:
    """Return the plan of a time-lapse that was never changed."""
    since = MappingProxyType(dict.fromkeys(images, 0))
    return Planned(grid=grid, began_at=grid.time_of(0), time_points=time_points, since=since)


def take_up(
    before: Planned,
    *,
    interval_s: float,
    time_points: int,
    images: Iterable[Image],
    taken: frozenset[tuple[int, Image]],
    now: datetime,
) -> Planned:
    """Return how a time-lapse goes on as it is configured now.

    Parameters
    ----------
    images
        What is to be taken at each time point.
    taken
        What is on disk, by time point.
    now
        The time of day.
    """
    due = before.grid.at(now)
    last = max(before.over, max((index for index, _ in taken), default=-1))
    following = last + 1 if due <= last else min(due, time_points)
    since = {image: before.since.get(image, following) for image in images}
    other_interval = before.grid.interval_s != interval_s
    ran_out = due >= before.time_points
    if not other_interval and not (ran_out and time_points > before.time_points):
        return replace(before, time_points=time_points, since=MappingProxyType(since))
    if not other_interval:
        last = max(last, before.time_points - 1)
    first_at = max(before.grid.time_of(last) + timedelta(seconds=interval_s), now)
    if last == due and _is_incomplete(before, last, taken):
        first_at = max(first_at, now + timedelta(seconds=FINISH_S))
    since = {image: min(first, last + 1) for image, first in since.items()}
    return replace(
        before,
        grid=Grid(first=last + 1, first_at=first_at, interval_s=interval_s),
        time_points=time_points,
        since=MappingProxyType(since),
    )


def _is_incomplete(before: Planned, index: int, taken: frozenset[tuple[int, Image]]) -> bool:
    return any(
        (index, image) not in taken for image, first in before.since.items() if first <= index
    )
