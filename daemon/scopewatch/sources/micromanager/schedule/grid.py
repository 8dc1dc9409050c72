"""When the time points of a time-lapse are due: an interval apart, until another one. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Another interval, from a time point to the next one and on."""

    since: int
    interval_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Time points `first`, at `first_at`, and on, `interval_s` apart until a step of `then`.

    Parameters
    ----------
    then
        In order, each from a later time point on.
    """

    first: int
    first_at: datetime
    interval_s: float
    then: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        since = [step.since for step in self.then]
        if since != sorted(set(since)) or any(each <= 0 for each in since):
            raise ValueError(f"steps of a grid are not in order: {since}")

    def at(self, now: datetime) -> int:
        """Return the time point that is due or under way; the one before `first` until that is."""
        if now < self.first_at:
            return self.first - 1
        index, at, interval_s = self.first, self.first_at, self.interval_of(self.first)
        for step in self.then:
            if step.since <= index:
                continue
            starts = at + timedelta(seconds=(step.since - index) * interval_s)
            if now < starts:
                break
            index, at, interval_s = step.since, starts, step.interval_s
        index += (now - at) // timedelta(seconds=interval_s)
        # Sums of intervals are rounded to microseconds: when each is due decides.
        while self.time_of(index + 1) <= now:
            index += 1
        while self.time_of(index) > now:
            index -= 1
        return index

    def time_of(self, index: int) -> datetime:
        """Return when a time point is due."""
        passed_s = self.offset_s(index) - self.offset_s(self.first)
        return self.first_at + timedelta(seconds=passed_s)

    def interval_of(self, index: int) -> float:
        """Return how long after a time point the next one is due, in seconds."""
        reached = [step.interval_s for step in self.then if step.since <= index]
        return reached[-1] if reached else self.interval_s

    def offset_s(self, index: int) -> float:
        """Return how long after time point 0 one is due, in seconds, had none been moved."""
        since, interval_s, passed_s = 0, self.interval_s, 0.0
        for step in self.then:
            if step.since >= index:
                break
            passed_s += (step.since - since) * interval_s
            since, interval_s = step.since, step.interval_s
        return passed_s + (index - since) * interval_s

    def ahead(self, index: int) -> tuple[Step, ...]:
        """Return the intervals from a time point on."""
        steps = [Step(since=index, interval_s=self.interval_of(index))]
        for step in self.then:
            if step.since > index and step.interval_s != steps[-1].interval_s:
                steps.append(step)
        return tuple(steps)
