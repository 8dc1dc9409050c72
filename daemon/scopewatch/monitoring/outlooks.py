"""The outlook of a well at each time point: its smoothed estimate and its forecast."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from scopewatch.core.estimation.forecast import NoForecast, WellForecast, forecast
from scopewatch.core.estimation.smoothing import (
    RunningEstimate,
    WellFilter,
    WellPoint,
    filter_points,
)
from scopewatch.monitoring.policy import RunPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A time point of a well: what was seen, or, where `point` is None, why nothing was."""

    time_point: int
    point: WellPoint | None
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a well stood after its time points up to some one.

    Parameters
    ----------
    filter
        After all points so far; None where it was not kept.
    newest, day
        The newest judged time point, and its day.
    """

    filter: WellFilter | None
    newest: int
    day: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What is known of a well at a time point.

    Parameters
    ----------
    day
        Of the time point; that of `running` lies before where it could not be judged.
    filter
        What the next one follows from.
    """

    time_point: int
    day: float
    running: RunningEstimate
    forecast: WellForecast | NoForecast
    filter: WellFilter


def look_on(
    before: Standing | None,
    sightings: Sequence[Sighting],
    policy: RunPolicy,
    *,
    earlier: Callable[[], Sequence[WellPoint]],
) -> Iterator[Foreseen]:
    """Yield the outlooks of a well from some time point on; each follows from the one before.

    A time point has one when it was judged, or could not be but an earlier one was.

    Parameters
    ----------
    before
        Where the well stood before the first of `sightings`; None where nothing was judged by
        then.
    sightings
        By time point.
    earlier
        Returns all points before the first of `sightings`, by time point. It is asked only where
        they have to be filtered again.
    """
    known = None if before is None else before.filter or filter_points(earlier())
    newest, day = (0, 0.0) if before is None else (before.newest, before.day)
    later: list[WellPoint] = []
    for sighting in sightings:
        point = sighting.point
        if point is not None:
            later.append(point)
            newest, day = sighting.time_point, point.day
            if known is not None and known.takes(point):
                known = known.after(point)
            else:
                known = filter_points([*(() if before is None else earlier()), *later])
        if known is not None:
            gap = (sighting.time_point - newest) * policy.interval_h / 24
            yield _outlook(sighting, day + gap, known, policy)


def _outlook(sighting: Sighting, day: float, known: WellFilter, policy: RunPolicy) -> Foreseen:
    running = known.estimate(())
    unfit = "" if sighting.point is not None else sighting.fault
    return Foreseen(
        time_point=sighting.time_point,
        day=day,
        running=running,
        forecast=forecast(policy.forecast, running, policy.final_day, unfit=unfit),
        filter=known,
    )
