"""Forecast of the final efficiency of a well from the table of the model card.

The table holds, for each day, a line from the running estimate to the final efficiency and how
far off that line was on runs it was not fitted on. The interval is conformal (Vovk et al.,
Algorithmic Learning in a Random World, 2005): its half width is a quantile of those errors, and no
shape is assumed of them. Where the table gives no forecast, `NoForecast` gives the reason.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import erf, sqrt
from typing import Final

import numpy as np

from scopewatch.core.estimation.smoothing import Z90, RunningEstimate
from scopewatch.core.imaging.model_card.held_out import ForecastDay

COVERAGE: Final = 0.9
# The table's last day is the final day of the runs it was learnt from, as near as they agree.
FINAL_DAY_TOLERANCE: Final = 1.0


class Silence(StrEnum):
    """Why there is no forecast. The values are stored: never rename one."""

    NO_TABLE = "no-table"
    TOO_EARLY = "too-early"
    OTHER_FINAL_DAY = "other-final-day"
    PAST_THE_TABLE = "past-the-table"
    UNFIT_FRAME = "unfit-frame"
    OUTSIDE_THE_CARD = "outside-the-card"


@dataclass(frozen=True, slots=True, kw_only=True)
class WellForecast:
    """The efficiency a well is expected to reach on the final day.

    Parameters
    ----------
    made_on_day, final_day
        Days of the run.
    value, low, high
        Expected final efficiency with the interval that held the truth in `coverage` of the
        held-out wells; 0 to 1.
    coverage
        Nominal coverage of the interval.
    half_width
        Of the interval, before it was cut off at 0 and 1.
    errors
        Truth - forecast at evenly spaced levels (i + 0.5) / n, ascending; empty where the card
        does not know them.
    """

    made_on_day: float
    final_day: float
    value: float
    low: float
    high: float
    coverage: float
    half_width: float
    errors: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.value <= self.high <= 1:
            raise ValueError(f"forecast is not ordered within 0 to 1: {self}")
        if list(self.errors) != sorted(self.errors):
            raise ValueError("errors of a forecast must ascend")

    def probability_below(self, target: float) -> float:
        """Return P(final efficiency < target), 0 to 1.

        From the held-out errors, by straight lines between their levels and never beyond the
        outermost; without them from a normal law of the interval's width.
        """
        reach = target - self.value
        if self.errors:
            count = len(self.errors)
            levels = (np.arange(count) + 0.5) / count
            return float(np.interp(reach, self.errors, levels))
        if self.half_width == 0:
            return float(reach > 0)
        return (1 + erf(reach * Z90 / self.half_width / sqrt(2))) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class NoForecast:
    """The reason why there is no forecast; `reason` is one line."""

    cause: Silence
    reason: str


def forecast(
    table: Sequence[ForecastDay],
    running: RunningEstimate,
    final_day: float,
    *,
    unfit: str = "",
) -> WellForecast | NoForecast:
    """Forecast the final efficiency of a well from its running estimate.

    Parameters
    ----------
    table
        `ModelCard.forecast`, by day.
    final_day
        When this run ends (`experiment.final_day`).
    unfit
        Why the newest frame of the well could not be judged; empty when it could.
    """
    rows = sorted(table, key=lambda row: row.day)
    refusal = _refuse(rows, running, final_day, unfit)
    if refusal is not None:
        return refusal
    row = _row_at(rows, running.day)
    if row.estimate_range is not None:
        low, high = row.estimate_range
        # A little outside is what the interval allows for; further off nothing is known.
        if not low - row.half_width <= running.value <= high + row.half_width:
            return NoForecast(
                cause=Silence.OUTSIDE_THE_CARD,
                reason=f"well reads {running.value:.0%} on day {running.day:.1f}, where the"
                f" model's runs lay between {low:.0%} and {high:.0%}",
            )
    value = row.intercept + row.slope * running.value + row.trend_slope * running.trend_per_day
    value = min(max(value, 0.0), 1.0)
    return WellForecast(
        made_on_day=running.day,
        final_day=final_day,
        value=value,
        low=max(value - row.half_width, 0.0),
        high=min(value + row.half_width, 1.0),
        coverage=COVERAGE,
        half_width=row.half_width,
        errors=row.errors,
    )


def first_day(table: Sequence[ForecastDay]) -> float | None:
    """Return the day from which the table supports a forecast; None where it never does."""
    rows = sorted(table, key=lambda row: row.day)
    lasting: float | None = None
    for row in reversed(rows):
        if not row.better_than_prior:
            break
        lasting = row.day
    return lasting


def usual_range(table: Sequence[ForecastDay], day: float) -> tuple[float, float] | None:
    """Return the lowest and highest efficiency of the model's runs on a day; None if not known."""
    rows = sorted(table, key=lambda row: row.day)
    if not rows or not rows[0].day <= day <= rows[-1].day + FINAL_DAY_TOLERANCE:
        return None
    after = bisect_right([row.day for row in rows], day)
    if after == len(rows):
        return rows[-1].estimate_range
    first, second = rows[after - 1], rows[after]
    return _range_between(first, second, (day - first.day) / (second.day - first.day))


def _refuse(
    rows: Sequence[ForecastDay], running: RunningEstimate, final_day: float, unfit: str
) -> NoForecast | None:
    begins = first_day(rows)
    if begins is None:
        cause, reason = Silence.NO_TABLE, "the model's card has no forecast that beats guessing"
    elif abs(final_day - rows[-1].day) > FINAL_DAY_TOLERANCE:
        cause = Silence.OTHER_FINAL_DAY
        reason = (
            f"the model foretells day {rows[-1].day:g}, this run ends on day {final_day:g}:"
            " set experiment.final_day, or learn a table for it"
        )
    elif running.day > rows[-1].day + FINAL_DAY_TOLERANCE:
        cause = Silence.PAST_THE_TABLE
        reason = f"day {running.day:.1f} lies past the model's last day, {rows[-1].day:g}"
    elif unfit:
        cause, reason = Silence.UNFIT_FRAME, f"the newest frame cannot be judged: {unfit}"
    elif running.day < begins:
        cause = Silence.TOO_EARLY
        reason = f"held-out runs support a forecast from day {begins:g} on"
    else:
        return None
    return NoForecast(cause=cause, reason=reason)


def _row_at(rows: Sequence[ForecastDay], day: float) -> ForecastDay:
    """Return the table's row of a day, which is none before its first.

    Between two days each entry lies on a straight line.
    """
    after = bisect_right([row.day for row in rows], day)
    if after == len(rows):
        return rows[-1]
    first, second = rows[after - 1], rows[after]
    weight = (day - first.day) / (second.day - first.day)

    def between(one: float, other: float) -> float:
        return one + weight * (other - one)

    return ForecastDay(
        day=day,
        intercept=between(first.intercept, second.intercept),
        slope=between(first.slope, second.slope),
        trend_slope=between(first.trend_slope, second.trend_slope),
        half_width=between(first.half_width, second.half_width),
        better_than_prior=first.better_than_prior and second.better_than_prior,
        errors=_errors_between(first.errors, second.errors, weight),
        estimate_range=_range_between(first, second, weight),
    )


def _range_between(
    first: ForecastDay, second: ForecastDay, weight: float
) -> tuple[float, float] | None:
    one, other = first.estimate_range, second.estimate_range
    if one is None or other is None:
        return None
    low, high = (start + weight * (end - start) for start, end in zip(one, other, strict=True))
    return low, high


def _errors_between(
    first: tuple[float, ...], second: tuple[float, ...], weight: float
) -> tuple[float, ...]:
    """Return the quantiles between those of two days, level by level."""
    if not first or not second:
        return ()
    count = max(len(first), len(second))
    levels = (np.arange(count) + 0.5) / count
    one, other = (
        np.interp(levels, (np.arange(len(errors)) + 0.5) / len(errors), errors)
        for errors in (first, second)
    )
    # Sorted again, since rounding may swap two that are as good as equal.
    return tuple(float(error) for error in np.sort(one + weight * (other - one)))
