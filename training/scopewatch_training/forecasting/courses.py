"""Courses of wells: what the daemon would have known of each at each time point, and its end."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.estimation.smoothing import RunningEstimate, WellPoint, smooth
from scopewatch.core.imaging.efficiency import ErrorRates, correct, pool
from scopewatch_training.forecasting.forecast_table import WellDay
from scopewatch_training.forecasting.timelapse import Moment, Well

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
    unfit
        (day, fault) of the time points without one.
    """

    place: Well
    final: float
    sights: tuple[Sight, ...]
    unfit: tuple[tuple[float, str], ...] = ()

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


def follow_wells(
    moments: Sequence[Moment], finals: Mapping[Well, float], rates: ErrorRates | None
) -> list[Course]:
    """Make the running estimates of wells whose final efficiency is known, as the store does.

    Parameters
    ----------
    rates
        Of the bundle's card; without them there is no interval.
    """
    by_well: dict[Well, list[Moment]] = {}
    for moment in moments:
        if moment.place in finals:
            by_well.setdefault(moment.place, []).append(moment)
    courses = []
    for place, members in sorted(by_well.items()):
        points: list[WellPoint] = []
        sights, unfit = [], []
        for moment in sorted(members, key=lambda each: each.time_point):
            if not moment.raw:
                unfit.append((moment.day, moment.faults[0]))
                continue
            pooled = pool([correct(raw, rates) for raw in moment.raw], rates)
            half_width = max(pooled.value - pooled.low, pooled.high - pooled.value)
            points.append(WellPoint(day=moment.day, efficiency=pooled.value, half_width=half_width))
            sights.append(
                Sight(
                    time_point=moment.time_point,
                    day=moment.day,
                    raw=float(np.mean(moment.raw)),
                    running=smooth(points),
                )
            )
        courses.append(
            Course(place=place, final=finals[place], sights=tuple(sights), unfit=tuple(unfit))
        )
    return courses


def read_finals(path: Path) -> dict[Well, float]:
    """Read final efficiencies from a table, the mean over the sites of a well.

    It may hold a line for each frame, as `scopewatch simulate` writes truth.csv: all lines of a
    site say the same.

    Raises
    ------
    ConfigError
        When it cannot be read, lacks a column, or a line is wrong.
    """
    sites: dict[tuple[Well, str], float] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise ValueError(f"no column {', '.join(missing)}")
            for number, line in enumerate(reader, start=2):
                value = float(line["final_efficiency"])
                if not 0 <= value <= 1:
                    raise ValueError(f"line {number}: {value} is no fraction")
                sites[(line["run"], line["plate"], line["well"]), line["site"]] = value
    except (OSError, ValueError, TypeError, csv.Error) as error:
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
