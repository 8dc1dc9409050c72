"""Courses of wells: the running estimate at each time point, and the final efficiency."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.estimation.forecast import NoForecast, WellForecast
from scopewatch.core.estimation.smoothing import RunningEstimate, WellPoint
from scopewatch.core.imaging.efficiency import ErrorRates, correct, pool
from scopewatch.monitoring.outlooks import Sighting, look_on
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.monitoring.well_facts import to_point
from scopewatch_training.dataset.tables.spreadsheet import parse_decimal, read_sheet
from scopewatch_training.dataset.tables.surplus import describe_surplus
from scopewatch_training.forecasting.forecast_table import WellDay
from scopewatch_training.forecasting.timelapse import Moment, Well

_DAY_H: Final = 24.0
_COLUMNS = ("run", "plate", "well", "site", "final_efficiency")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A well at a time point, as the daemon knows it then.

    Parameters
    ----------
    raw
        Mean raw positive fraction of its judged sites, 0 to 1.
    running
        Of all its points up to now.
    """

    time_point: int
    day: float
    raw: float
    running: RunningEstimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A well through a run, and the efficiency it came to, 0 to 1.

    Parameters
    ----------
    sights
        Of the time points with a judged site, in order.
    """

    place: Well
    final: float
    sights: tuple[Sight, ...]

    @property
    def run(self) -> str:
        """The differentiation run."""
        return self.place[0]

    def days(self) -> list[WellDay]:
        """Return what the forecast table is fitted on."""
        return [
            WellDay(
                run=self.run,
                day=sight.day,
                estimate=sight.running.value,
                trend=sight.running.trend_per_day,
                final=self.final,
            )
            for sight in self.sights
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A well at one time point, as the daemon knows it then.

    Parameters
    ----------
    running
        Of all its judged time points up to now; None before the first. Its `points` are the newest.
    forecast
        What it will come to, or why that cannot be foretold; None without a `running`.
    """

    moment: Moment
    running: RunningEstimate | None
    forecast: WellForecast | NoForecast | None


def outlooks_of(moments: Sequence[Moment], policy: RunPolicy) -> list[Outlook]:
    """Return the outlooks of one well at all its time points, as the daemon makes them.

    Parameters
    ----------
    moments
        By time point.
    """
    points = [_pooled(moment, policy.rates) for moment in moments]
    sightings = [
        Sighting(time_point=moment.time_point, point=point, fault=min(moment.faults, default=""))
        for moment, point in zip(moments, points, strict=True)
    ]
    foreseen = {each.time_point: each for each in look_on(None, sightings, policy, earlier=list)}
    outlooks: list[Outlook] = []
    newest: WellPoint | None = None
    for moment, point in zip(moments, points, strict=True):
        newest = point or newest
        found = foreseen.get(moment.time_point)
        if found is None or newest is None:
            outlooks.append(Outlook(moment=moment, running=None, forecast=None))
            continue
        running = replace(found.running, points=(newest,))
        outlooks.append(Outlook(moment=moment, running=running, forecast=found.forecast))
    return outlooks


def by_well(moments: Iterable[Moment]) -> dict[Well, list[Moment]]:
    """Return the time points of each well, in order."""
    wells: dict[Well, list[Moment]] = {}
    for moment in sorted(moments, key=lambda each: (each.place, each.time_point)):
        wells.setdefault(moment.place, []).append(moment)
    return wells


def follow_wells(
    moments: Sequence[Moment], finals: Mapping[Well, float], policy: RunPolicy
) -> list[Course]:
    """Make the running estimates of wells whose final efficiency is known, as the daemon does.

    Parameters
    ----------
    policy
        Its `rates` are those of the bundle's card; without them there is no interval.
    """
    courses = []
    for place, members in by_well(each for each in moments if each.place in finals).items():
        sights = [
            Sight(
                time_point=each.moment.time_point,
                day=each.moment.day,
                raw=float(np.mean(each.moment.raw)),
                running=each.running,
            )
            for each in outlooks_of(members, policy)
            if each.moment.raw and each.running is not None
        ]
        courses.append(Course(place=place, final=finals[place], sights=tuple(sights)))
    return courses


def plan_of(moments: Sequence[Moment], rates: ErrorRates | None) -> RunPolicy:
    """Return the plan that time-lapses were taken by: their interval, their sites, their end.

    Parameters
    ----------
    rates
        Error rates of the bundle's card.
    """
    hours = [
        24 * (second.day - first.day) / (second.time_point - first.time_point)
        for members in by_well(moments).values()
        for first, second in pairwise(members)
    ]
    return RunPolicy(
        run="",
        interval_h=median(hours) if hours else _DAY_H,
        final_day=max((moment.day for moment in moments), default=0.0),
        sites_per_well=max((moment.frames for moment in moments), default=1),
        phase_channel="phase",
        rates=rates,
    )


def _pooled(moment: Moment, rates: ErrorRates | None) -> WellPoint | None:
    """Return the estimate of a time point from its judged sites, if there are any."""
    if not moment.raw:
        return None
    pooled = pool([correct(raw, rates) for raw in moment.raw], rates)
    return to_point(moment.day, pooled.value, pooled.low, pooled.high)


def read_finals(path: Path) -> dict[Well, float]:
    """Read final efficiencies from a table, the mean over the sites of a well.

    It may hold a line for each frame, as `scopewatch simulate` writes truth.csv: all lines of a
    site hold the same value.

    Raises
    ------
    ConfigError
        When it cannot be read, lacks a column, or a line is wrong.
    """
    sites: dict[tuple[Well, str], float] = {}
    table = read_sheet(path, "table of final efficiencies", _COLUMNS)
    try:
        missing = [name for name in _COLUMNS if name not in table.columns]
        if missing:
            raise ValueError(f"no column {', '.join(missing)}")
        for row in table.rows:
            run, plate, well, site, text = (row.fields.get(name, "") for name in _COLUMNS)
            value = parse_decimal(text)
            if row.surplus:
                raise ValueError(
                    f"line {row.number} with more fields than columns, {describe_surplus(row)}"
                )
            if value is None or not 0 <= value <= 1:
                percent = parse_decimal(text.rstrip("% "))
                hint = f" (of per cent write {percent / 100:g})" if percent is not None else ""
                raise ValueError(f"line {row.number}: {text or 'nothing'} is no fraction{hint}")
            if sites.setdefault(((run, plate, well), site), value) != value:
                raise ValueError(
                    f"line {row.number}: {run}/{plate}/{well} site {site or 'without a name'} comes"
                    f" to {value:g}, and to {sites[(run, plate, well), site]:g} before"
                )
    except ValueError as error:
        raise ConfigError(
            complaint(
                "table of final efficiencies cannot be read",
                where=path,
                expected=f"a CSV with columns {', '.join(_COLUMNS)}, efficiencies 0 to 1",
                got=error,
                do="give the truth of the runs, or the data set of their final day",
            )
        ) from error
    wells: dict[Well, list[float]] = {}
    for (place, _), value in sites.items():
        wells.setdefault(place, []).append(value)
    return {place: float(np.mean(values)) for place, values in wells.items()}
