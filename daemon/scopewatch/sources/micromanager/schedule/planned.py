"""A time-lapse as it is planned, and what a changed plan makes of it. Pure.

Time points lie at planned distances from one of them on. A plan that is changed by a reload or a
restart goes on with the next time point: its interval counts from the last one, and what it adds
(positions, channels, time points) begins now, so that no gap is reported for what was not planned.

A time point that a person wants at once is put in between: it is the next one by its number, those
behind it keep their moments, and there is one more of them. It is no part of the planned series, so
that neither a phase nor the period of a channel counts it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

from scopewatch.sources.micromanager.schedule.grid import Grid, Step
from scopewatch.sources.micromanager.schedule.spans import Span, covered
from scopewatch.sources.micromanager.stacks.planes import (
    NO_STACK,
    StackSince,
    ZStack,
    changed_stacks,
    stack_at,
)

Image = tuple[str, str | None]  # position label, channel: what is taken at each time point
Period = int | Literal["final"]

# What a reload interrupted is finished before the time points of the changed plan begin.
FINISH_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A time-lapse as it was planned so far.

    Parameters
    ----------
    began_at
        When time point 0 was.
    time_points
        How many there are, with those of `extra`.
    over
        The last time point that is not acquired any more; -1 before the first is over.
    since
        The first time point of each image that is taken.
    periods
        How often the images of a channel are taken, where not at every time point.
    extra
        Time points that were put in between, in order.
    skips
        Positions that are left out on purpose: their images are no gaps.
    added
        Further positions that are taken beyond the plan: what lacks of them is no gap either.
    stacks
        From which time point on which planes are taken; before the first of them, none are.
    """

    grid: Grid
    began_at: datetime
    time_points: int
    since: Mapping[Image, int]
    over: int = -1
    periods: Mapping[str | None, Period] = field(default_factory=lambda: MappingProxyType({}))
    extra: tuple[int, ...] = ()
    skips: tuple[Span, ...] = ()
    added: tuple[Span, ...] = ()
    stacks: tuple[StackSince, ...] = ()

    def has(self, index: int, image: Image) -> bool:
        """Tell whether an image is planned for a time point."""
        if self.skips and image[0] in covered(self.skips, index):
            return False
        if image in self.since and index < self.since[image]:
            return False
        period = self.periods.get(image[1], 1)
        if period == "final":
            return index == self.time_points - 1
        if index in self.extra:
            return period == 1
        return self.number_of(index) % period == 0

    def stack(self, index: int) -> ZStack:
        """Return the planes of a time point."""
        return stack_at(self.stacks, index)

    def number_of(self, index: int) -> int:
        """Return the place of a time point in the planned series, without what was put between."""
        return index - sum(each < index for each in self.extra)


def begun(
    grid: Grid,
    time_points: int,
    images: Iterable[Image],
    periods: Mapping[str | None, Period] | None = None,
    stack: ZStack = NO_STACK,
) -> Planned:
    """Return the plan of a time-lapse that was never changed."""
    since = MappingProxyType(dict.fromkeys(images, 0))
    return Planned(
        grid=grid,
        began_at=grid.time_of(0),
        time_points=time_points,
        since=since,
        periods=MappingProxyType(dict(periods or {})),
        stacks=changed_stacks((), stack, 0),
    )


def take_up(
    before: Planned,
    *,
    interval_s: float,
    time_points: int,
    images: Iterable[Image],
    taken: frozenset[tuple[int, Image]],
    now: datetime,
    then: tuple[Step, ...] = (),
    periods: Mapping[str | None, Period] | None = None,
    stack: ZStack = NO_STACK,
    partly: frozenset[tuple[int, Image]] = frozenset(),
) -> Planned:
    """Return how a time-lapse goes on as it is configured now.

    Parameters
    ----------
    interval_s, time_points, then
        As they are configured: without time points that were put in between.
    images, stack
        What is to be taken at each time point.
    taken, partly
        What is on disk, by time point, and those of it that lack planes.
    now
        The time of day.
    """
    due = before.grid.at(now)
    last = max(before.over, max((index for index, _ in taken), default=-1))
    time_points += len(before.extra)
    then = tuple(replace(step, since=_index_of(step.since, before.extra)) for step in then)
    following = last + 1 if due <= last else min(due, time_points)
    periods = MappingProxyType(dict(periods or {}))
    since = {
        image: before.since[image]
        if image in before.since and _keeps_its_period(before, image[1], periods, time_points)
        else following
        for image in images
    }
    fresh = replace(
        before,
        grid=replace(before.grid, interval_s=interval_s, then=then),
        time_points=time_points,
        periods=periods,
        since=MappingProxyType(since),
        stacks=changed_stacks(before.stacks, stack, following),
    )
    other_interval = before.grid.ahead(max(last, 0)) != fresh.grid.ahead(max(last, 0))
    ran_out = due >= before.time_points
    if not other_interval and not (ran_out and time_points > before.time_points):
        # Intervals that are over may be written otherwise by now; what was, was.
        return replace(fresh, grid=before.grid)
    if not other_interval:
        last = max(last, before.time_points - 1)
    wait_s = fresh.grid.interval_of(last)
    first_at = max(before.grid.time_of(last) + timedelta(seconds=wait_s), now)
    if last == due and _is_incomplete(before, last, taken - partly):
        first_at = max(first_at, now + timedelta(seconds=FINISH_S))
    since = {image: min(first, last + 1) for image, first in since.items()}
    return replace(
        fresh,
        grid=replace(fresh.grid, first=last + 1, first_at=first_at),
        since=MappingProxyType(since),
        stacks=changed_stacks(before.stacks, stack, min(following, last + 1)),
    )


def put_between(planned: Planned, now: datetime) -> Planned:
    """Return the plan with one more time point, due now, before those that are not due yet."""
    index = planned.grid.at(now) + 1
    return replace(
        planned,
        grid=Grid(
            first=index + 1,
            first_at=planned.grid.time_of(index),
            interval_s=planned.grid.interval_s,
            then=tuple(
                replace(step, since=step.since + 1) if step.since >= index else step
                for step in planned.grid.then
            ),
        ),
        time_points=planned.time_points + 1,
        extra=(*planned.extra, index),
        since=MappingProxyType(
            {image: first + (first >= index) for image, first in planned.since.items()}
        ),
        skips=tuple(each.moved(index) for each in planned.skips),
        added=tuple(each.moved(index) for each in planned.added),
        stacks=tuple(
            replace(each, since=each.since + (each.since > index)) for each in planned.stacks
        ),
    )


def _index_of(number: int, extra: tuple[int, ...]) -> int:
    """Return the time point at a place of the planned series."""
    index = number
    for each in extra:
        index += each <= index
    return index


def _keeps_its_period(
    before: Planned,
    channel: str | None,
    periods: Mapping[str | None, Period],
    time_points: int,
) -> bool:
    period = periods.get(channel, 1)
    moved = period == "final" and time_points != before.time_points
    return period == before.periods.get(channel, 1) and not moved


def _is_incomplete(before: Planned, index: int, taken: frozenset[tuple[int, Image]]) -> bool:
    return any(before.has(index, image) and (index, image) not in taken for image in before.since)
