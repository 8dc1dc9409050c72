"""Fits the forecast table: the final efficiency from an earlier day, with its errors.

For each day a plane from the running estimate of that day and its trend to the final efficiency,
with the errors that it made in wells of runs that it was not fitted on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.model_card.held_out import ForecastDay

COVERAGE = 0.9
FEWEST_WELLS = 6
MOST_ERRORS = 99
NARROWER = 0.95
"""Share of the prior's interval that a forecast must keep within to count as better than it."""
DAY_STEP = 0.25
"""Days are gathered to quarters, since no two time points of two runs are taken to the minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WellDay:
    """Running estimate of a well on a day and its trend per day, and what the well came to."""

    run: str
    day: float
    estimate: float
    final: float
    trend: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plane:
    """forecast = intercept + slope * estimate + trend_slope * trend, kept within 0 to 1."""

    intercept: float
    slope: float
    trend_slope: float

    def forecast(self, wells: Sequence[WellDay]) -> NDArray[np.float64]:
        seen, _ = _columns(wells)
        return np.clip(self.intercept + seen @ (self.slope, self.trend_slope), 0, 1)


def fit_forecast(wells: Sequence[WellDay]) -> tuple[ForecastDay, ...]:
    """Fit one row for each day on which at least six wells of two runs were seen.

    `better_than_prior` says whether, on this day and on all later ones, the interval is clearly
    narrower than that of simply expecting the mean final efficiency of the other runs.
    """
    days: dict[float, list[WellDay]] = {}
    for well in wells:
        days.setdefault(round(well.day / DAY_STEP) * DAY_STEP, []).append(well)
    rows: list[ForecastDay] = []
    narrower: list[bool] = []
    for day, members in sorted(days.items()):
        if len({well.run for well in members}) < 2 or len(members) < FEWEST_WELLS:
            continue
        errors, weights = _held_out_errors(members, _fit)
        half_width = _half_width(errors, weights)
        prior = _half_width(*_held_out_errors(members, _mean_only))
        narrower.append(half_width < NARROWER * prior)
        plane = _fit(members)
        estimates = [well.estimate for well in members]
        rows.append(
            ForecastDay(
                day=day,
                intercept=round(plane.intercept, 5),
                slope=round(plane.slope, 5),
                trend_slope=round(plane.trend_slope, 5),
                half_width=round(min(1.0, half_width), 5),
                better_than_prior=False,
                errors=tuple(round(error, 5) for error in _quantiles(errors, weights)),
                estimate_range=(round(min(estimates), 5), round(max(estimates), 5)),
            )
        )
    lasting = [all(narrower[index:]) for index in range(len(rows))]
    return tuple(
        row.model_copy(update={"better_than_prior": better})
        for row, better in zip(rows, lasting, strict=True)
    )


def _fit(wells: Sequence[WellDay]) -> _Plane:
    """Least squares, each slope drawn towards 0 as by one more well at the mean."""
    seen, final = _columns(wells)
    centred = seen - seen.mean(axis=0)
    spread = np.square(centred).sum(axis=0)
    pull = np.diag(np.maximum(spread / len(wells), 1e-4))
    slopes = np.linalg.solve(centred.T @ centred + pull, centred.T @ final)
    return _Plane(
        intercept=float(final.mean() - slopes @ seen.mean(axis=0)),
        slope=float(slopes[0]),
        trend_slope=float(slopes[1]),
    )


def _mean_only(wells: Sequence[WellDay]) -> _Plane:
    """Fit the prior: the mean final efficiency of the other runs."""
    return _Plane(intercept=float(_columns(wells)[1].mean()), slope=0.0, trend_slope=0.0)


def _held_out_errors(
    wells: Sequence[WellDay], fit: Callable[[Sequence[WellDay]], _Plane]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return truth - forecast of wells whose run was left out of the fit, and their weights.

    Runs weigh alike: their wells share whatever went differently on that run.
    """
    errors, weights = [], []
    for run in sorted({well.run for well in wells}):
        plane = fit([well for well in wells if well.run != run])
        held = [well for well in wells if well.run == run]
        errors.append(_columns(held)[1] - plane.forecast(held))
        weights.append(np.full(len(held), 1 / len(held)))
    return np.concatenate(errors), np.concatenate(weights)


def _half_width(errors: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Conformal quantile of the size of the errors."""
    sizes = np.abs(errors)
    count = len(sizes)
    level = min(1.0, ceil((count + 1) * COVERAGE) / count)
    order = np.argsort(sizes)
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(sizes[order][min(int(np.searchsorted(reached, level - 1e-9)), count - 1)])


def _quantiles(errors: NDArray[np.float64], weights: NDArray[np.float64]) -> list[float]:
    """Return the errors' quantiles at levels (i + 0.5) / n, as many as there are up to 99."""
    count = min(len(errors), MOST_ERRORS)
    order = np.argsort(errors)
    reached = np.cumsum(weights[order]) / weights.sum()
    places = np.searchsorted(reached, (np.arange(count) + 0.5) / count - 1e-9)
    return [float(error) for error in errors[order][np.minimum(places, len(errors) - 1)]]


def _columns(wells: Sequence[WellDay]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (wells, 2) estimate and trend, and (wells,) final efficiency."""
    return (
        np.array([(well.estimate, well.trend) for well in wells]),
        np.array([well.final for well in wells]),
    )
