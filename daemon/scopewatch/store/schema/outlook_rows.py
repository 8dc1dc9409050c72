"""Estimates and outlooks as the core has them, and as columns of the database hold them."""

from collections.abc import Sequence
from typing import Any

from scopewatch.core.estimation.forecast import NoForecast, Silence, WellForecast
from scopewatch.core.estimation.smoothing import RunningEstimate, WellFilter, WellPoint
from scopewatch.monitoring.outlooks import Foreseen
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.monitoring.well_facts import to_point
from scopewatch.store.schema.well_tables import WellEstimate, WellOutlook

# Errors are efficiencies: four digits are a hundredth of a point.
_DIGITS = 4


def point_of(row: WellEstimate) -> WellPoint:
    """Return an estimate as the core smooths it."""
    return to_point(row.day, row.efficiency, row.low, row.high)


def running_of(row: WellOutlook, points: Sequence[WellPoint]) -> RunningEstimate:
    """Return where the well stood; `points` are what is shown of those it was made of."""
    return RunningEstimate(
        day=row.now_day,
        value=row.now,
        low=row.now_low,
        high=row.now_high,
        trend_per_day=row.trend_per_day,
        trend_half_width=row.trend_half_width,
        points=tuple(points),
    )


def forecast_of(row: Any, errors: Sequence[float] | None = None) -> WellForecast | NoForecast:
    """Return the forecast, or why nothing was; `errors` are the row's own unless given."""
    if (
        row.value is None
        or row.low is None
        or row.high is None
        or row.half_width is None
        or row.coverage is None
    ):
        return NoForecast(cause=Silence(row.cause or ""), reason=row.reason or "")
    return WellForecast(
        made_on_day=row.now_day,
        final_day=row.final_day,
        value=row.value,
        low=row.low,
        high=row.high,
        coverage=row.coverage,
        half_width=row.half_width,
        errors=tuple(row.errors if errors is None else errors),
    )


def pack_filter(kept: WellFilter) -> list[float]:
    """Return the filter of a well as JSON holds it."""
    return [kept.day, kept.level, kept.slope, *kept.spread, kept.shared]


def unpack_filter(packed: Sequence[float]) -> WellFilter:
    """Return the filter that `pack_filter` packed."""
    day, level, slope, of_level, of_both, of_slope, shared = packed
    return WellFilter(
        day=day, level=level, slope=slope, spread=(of_level, of_both, of_slope), shared=shared
    )


def row_of(well_id: int, outlook: Foreseen, policy: RunPolicy) -> dict[str, Any]:
    """Return the columns of an outlook."""
    running, forecast = outlook.running, outlook.forecast
    row = {
        "well_id": well_id,
        "time_point": outlook.time_point,
        "day": outlook.day,
        "now_day": running.day,
        "now": running.value,
        "now_low": running.low,
        "now_high": running.high,
        "trend_per_day": running.trend_per_day,
        "trend_half_width": running.trend_half_width,
        "final_day": policy.final_day,
        "filter": pack_filter(outlook.filter),
        **dict.fromkeys(("value", "low", "high", "half_width", "coverage", "cause", "reason")),
        "errors": [],
    }
    if isinstance(forecast, NoForecast):
        return row | {"cause": forecast.cause.value, "reason": forecast.reason}
    return row | {
        "value": forecast.value,
        "low": forecast.low,
        "high": forecast.high,
        "half_width": forecast.half_width,
        "coverage": forecast.coverage,
        "errors": [round(error, _DIGITS) for error in forecast.errors],
    }
