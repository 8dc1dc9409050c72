"""The wells of a run on its final day: measured, estimated and forecast."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from scopewatch.core.estimation.forecast_validation import Prediction, WellEnd
from scopewatch.monitoring.policy import BEFORE_END_DAYS
from scopewatch.store.read.well_queries import newest_time_point
from scopewatch.store.schema.tables import Run, Well
from scopewatch.store.schema.well_tables import MeasuredWell, WellEstimate, WellOutlook

# Days of which the forecasts of a run are compared with what was measured.
MOST_FORECASTS: Final = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """The wells of a run that were measured, by plate and well."""

    run: str
    simulated: bool
    wells: tuple[WellEnd, ...]


def run_ends(session: Session, run: str | None = None) -> list[RunEnd]:
    """Return the runs of which a well was measured, the newest first; or the one of that name."""
    runs = session.scalars(
        select(Run)
        .where(
            Run.id.in_(select(Well.run_id).join(MeasuredWell, MeasuredWell.well_id == Well.id)),
            *(() if run is None else (Run.name == run,)),
        )
        .order_by(Run.first_seen_at.desc(), Run.id.desc())
    ).all()
    return [
        RunEnd(run=each.name, simulated=each.simulated, wells=tuple(_wells(session, each.id)))
        for each in runs
    ]


def _wells(session: Session, run_id: int) -> list[WellEnd]:
    rows = session.execute(
        select(MeasuredWell, Well)
        .join(Well, Well.id == MeasuredWell.well_id)
        .where(Well.run_id == run_id)
        .order_by(Well.plate, Well.id)
    ).all()
    ids = [well.id for _, well in rows]
    newest = _newest_estimates(session, ids)
    forecasts = _forecasts(session, ids)
    ends = []
    for measured, well in rows:
        now = newest.get(well.id)
        if now is not None and abs(now.day - measured.day) > BEFORE_END_DAYS:
            now = None
        ends.append(
            WellEnd(
                plate=well.plate,
                well=well.name,
                measured=measured.efficiency,
                now=now,
                forecasts=tuple(
                    prediction
                    for prediction in forecasts.get(well.id, ())
                    if prediction.day < measured.day - BEFORE_END_DAYS / 2
                ),
            )
        )
    return ends


def _newest_estimates(session: Session, wells: Sequence[int]) -> dict[int, Prediction]:
    """Return the newest estimate of each well that has any."""
    rows = session.execute(
        select(
            WellEstimate.well_id,
            WellEstimate.day,
            WellEstimate.efficiency,
            WellEstimate.low,
            WellEstimate.high,
        )
        .join(
            Well,
            and_(
                Well.id == WellEstimate.well_id,
                WellEstimate.time_point == newest_time_point(WellEstimate),
            ),
        )
        .where(Well.id.in_(wells))
    )
    return {well: _prediction(*figures) for well, *figures in rows}


def _forecasts(session: Session, wells: Sequence[int]) -> dict[int, list[Prediction]]:
    """Return the forecasts of wells at `MOST_FORECASTS` time points at most, oldest first.

    Of more, every n-th of those that the well with the newest one has, from that one back.
    """
    # Well by well, its newest sought in the index.
    newest = newest_time_point(WellOutlook)
    longest = session.scalar(
        select(Well.id)
        .where(Well.id.in_(wells), newest.is_not(None))
        .order_by(newest.desc(), Well.id)
        .limit(1)
    )
    if longest is None:
        return {}
    # Not of numbers in between: time points may be numbered by hours, and have gaps.
    of_longest = select(WellOutlook.time_point).where(WellOutlook.well_id == longest)
    there = session.scalars(of_longest.order_by(WellOutlook.time_point.desc())).all()
    step = -(-len(there) // MOST_FORECASTS)
    rows = session.execute(
        select(
            WellOutlook.well_id,
            WellOutlook.day,
            WellOutlook.value,
            WellOutlook.low,
            WellOutlook.high,
        )
        .where(
            WellOutlook.well_id.in_(wells),
            WellOutlook.time_point.in_(there[::step]),
        )
        .order_by(WellOutlook.well_id, WellOutlook.time_point)
    )
    forecasts: dict[int, list[Prediction]] = {}
    for well, day, value, low, high in rows:
        if value is not None and low is not None and high is not None:
            forecasts.setdefault(well, []).append(_prediction(day, value, low, high))
    return forecasts


def _prediction(day: float, value: float, low: float, high: float) -> Prediction:
    return Prediction(day=day, value=value, low=low, high=high)
