"""The wells of a run on its final day: measured, estimated and forecast."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from scopewatch.core.estimation.forecast_validation import Prediction, WellEnd
from scopewatch.monitoring.policy import BEFORE_END_DAYS
from scopewatch.store.schema.tables import Run, Well
from scopewatch.store.schema.well_tables import MeasuredWell, WellEstimate, WellOutlook


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
    estimates: dict[int, WellEstimate] = {}
    for estimate in session.scalars(
        select(WellEstimate).where(WellEstimate.well_id.in_(ids)).order_by(WellEstimate.time_point)
    ):
        estimates[estimate.well_id] = estimate
    forecasts: dict[int, list[Prediction]] = {}
    for row in session.scalars(
        select(WellOutlook).where(WellOutlook.well_id.in_(ids)).order_by(WellOutlook.time_point)
    ):
        if row.value is not None and row.low is not None and row.high is not None:
            prediction = Prediction(day=row.day, value=row.value, low=row.low, high=row.high)
            forecasts.setdefault(row.well_id, []).append(prediction)
    ends = []
    for measured, well in rows:
        newest = estimates.get(well.id)
        now = None
        if newest is not None and abs(newest.day - measured.day) <= BEFORE_END_DAYS:
            now = Prediction(
                day=newest.day, value=newest.efficiency, low=newest.low, high=newest.high
            )
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
