"""What rules know of a well at a time point, from its frames and from its running estimate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from scopewatch.core.alerts.observation import Subject
from scopewatch.core.alerts.wells import Look, Past, WellFacts
from scopewatch.core.estimation.forecast import NoForecast, WellForecast
from scopewatch.core.estimation.smoothing import RunningEstimate, WellPoint


@dataclass(slots=True)
class Seen:
    """The frames of one well at one time point, while they are gathered.

    Attributes
    ----------
    faults
        Why frames could not be judged.
    days, positive, measures
        Day of the run, raw share of positive tiles and quality measures of the others.
    """

    faults: list[str] = field(default_factory=list)
    days: list[float] = field(default_factory=list)
    positive: list[float] = field(default_factory=list)
    measures: list[Mapping[str, float]] = field(default_factory=list)

    def look(self, reckoned_day: float) -> Look:
        """Return their mean; where none was judged, its fault and the day it must have been."""
        if not self.days:
            return Look(day=reckoned_day, fault=min(self.faults))
        return Look(
            day=max(self.days),
            measures=_mean(self.measures),
            positive=sum(self.positive) / len(self.positive),
        )


def to_point(day: float, efficiency: float, low: float, high: float) -> WellPoint:
    """Return the pooled estimate of a time point as the filter takes it."""
    if (low, high) == (0.0, 1.0):
        # No interval is known: a point near 0.5 is no surer than one near 0 or 1.
        return WellPoint(day=day, efficiency=efficiency, half_width=1.0)
    return WellPoint(
        day=day, efficiency=efficiency, half_width=max(high - efficiency, efficiency - low)
    )


def well_facts(
    subject: Subject,
    at: datetime,
    looks: Sequence[Look],
    *,
    past: Past,
    running: RunningEstimate | None,
    forecast: WellForecast | NoForecast | None,
) -> WellFacts:
    """Return the facts of a well once its newest time point is complete.

    Parameters
    ----------
    at
        When it became known, aware UTC.
    looks
        Its time points after those of `past`, by day; at least one.
    running, forecast
        Its outlook at the newest time point; None where nothing was judged by then.
    """
    return WellFacts(
        subject=subject,
        at=at,
        day=looks[-1].day,
        looks=tuple(looks),
        past=past,
        running=running,
        forecast=forecast,
    )


def _mean(measures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each measure over the sites that have it."""
    names = {name for measured in measures for name in measured}
    means = {}
    for name in sorted(names):
        values = [measured[name] for measured in measures if name in measured]
        means[name] = sum(values) / len(values)
    return means
