"""What is known of a well at each time point: where it stands and what it will come to.

An outlook follows from the well's estimates up to its time point and from the card alone, so that
the forecast of every earlier day can be looked at on the final one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from scopewatch.core.card import ForecastDay
from scopewatch.core.forecast import NoForecast, Silence, WellForecast, forecast
from scopewatch.core.running import RunningEstimate, WellPoint, smooth
from scopewatch.store.columns import FrameState
from scopewatch.store.tables import FrameRow, Well
from scopewatch.store.well_tables import WellEstimate, WellOutlook

# Errors are efficiencies: four digits are a hundredth of a point.
_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """What a forecast needs besides the well.

    Parameters
    ----------
    table
        `ModelCard.forecast`.
    final_day
        When the run ends.
    interval_h
        Between time points: the day of one that could not be judged is reckoned from it.
    """

    table: Sequence[ForecastDay]
    final_day: float
    interval_h: float


def look_ahead(
    session: Session, well_id: int, channel: str, foresight: Foresight, *, since: int
) -> None:
    """Write the outlooks of a well anew, from time point `since` on.

    A time point has one when it was judged, or could not be but an earlier one was.
    """
    session.execute(
        delete(WellOutlook).where(WellOutlook.well_id == well_id, WellOutlook.time_point >= since)
    )
    estimates = {
        row.time_point: row
        for row in session.scalars(
            select(WellEstimate)
            .where(WellEstimate.well_id == well_id)
            .order_by(WellEstimate.time_point)
        )
    }
    faults = _faults(session, well_id, channel, since)
    for time_point in sorted({*faults, *estimates}):
        if time_point < since:
            continue
        known = [row for row in estimates.values() if row.time_point <= time_point]
        if not known:
            continue
        running = smooth([point_of(row) for row in known])
        unfit = "" if time_point in estimates else faults[time_point]
        newest = known[-1]
        gap = (time_point - newest.time_point) * foresight.interval_h / 24
        outlook = forecast(foresight.table, running, foresight.final_day, unfit=unfit)
        session.add(_row(well_id, time_point, newest.day + gap, running, outlook, foresight))
    session.flush()


def look_ahead_again(session: Session, run_id: int, channel: str, foresight: Foresight) -> None:
    """Write all outlooks of a run anew: its day 0 moved, and with it every day."""
    for well_id in session.scalars(select(Well.id).where(Well.run_id == run_id)).all():
        look_ahead(session, well_id, channel, foresight, since=0)


def point_of(row: WellEstimate) -> WellPoint:
    """Return an estimate as the core smooths it."""
    half_width = max(row.high - row.efficiency, row.efficiency - row.low)
    return WellPoint(day=row.day, efficiency=row.efficiency, half_width=half_width)


def running_of(row: WellOutlook, points: Sequence[WellPoint]) -> RunningEstimate:
    """Return where the well stood; `points` are those up to the outlook's time point."""
    return RunningEstimate(
        day=row.now_day,
        value=row.now,
        low=row.now_low,
        high=row.now_high,
        trend_per_day=row.trend_per_day,
        trend_half_width=row.trend_half_width,
        points=tuple(points),
    )


def forecast_of(row: WellOutlook) -> WellForecast | NoForecast:
    """Return what was foretold, or why nothing was."""
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
        errors=tuple(row.errors),
    )


def _faults(session: Session, well_id: int, channel: str, since: int) -> Mapping[int, str]:
    """Return the fault of each time point of which nothing but unfit frames is known."""
    found = session.execute(
        select(FrameRow.time_point, func.min(FrameRow.fault))
        .where(
            FrameRow.well_id == well_id,
            FrameRow.channel == channel,
            FrameRow.time_point >= since,
            FrameRow.state == FrameState.QUARANTINED,
        )
        .group_by(FrameRow.time_point)
    )
    return {time_point: fault or "" for time_point, fault in found}


def _row(
    well_id: int,
    time_point: int,
    day: float,
    running: RunningEstimate,
    outlook: WellForecast | NoForecast,
    foresight: Foresight,
) -> WellOutlook:
    row = WellOutlook(
        well_id=well_id,
        time_point=time_point,
        day=day,
        now_day=running.day,
        now=running.value,
        now_low=running.low,
        now_high=running.high,
        trend_per_day=running.trend_per_day,
        trend_half_width=running.trend_half_width,
        final_day=foresight.final_day,
        errors=[],
    )
    if isinstance(outlook, NoForecast):
        row.cause, row.reason = outlook.cause.value, outlook.reason
        return row
    row.value, row.low, row.high = outlook.value, outlook.low, outlook.high
    row.half_width, row.coverage = outlook.half_width, outlook.coverage
    row.errors = [round(error, _DIGITS) for error in outlook.errors]
    return row
