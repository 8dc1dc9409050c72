"""What the results of a run were made with, as far as they show it; read before a change."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from scopewatch.monitoring.run_changes import RunResults
from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.tables import FrameRow, Run, Well
from scopewatch.store.schema.well_tables import WellEstimate, WellOutlook

# The wells of a run are imaged alike: some of them show how.
MOST_WELLS: Final = 24
# Fewer time points have no distance between them that could be measured.
LEAST_TIME_POINTS: Final = 2


def read_results(session: Session, name: str | None) -> RunResults | None:
    """Return what a run's results were made with; of the newest run where no name is given.

    None where there is no such run.
    """
    runs = select(Run).order_by(Run.first_seen_at.desc(), Run.id.desc()).limit(1)
    run = session.scalar(runs if name is None else runs.where(Run.name == name))
    if run is None:
        return None
    wells = session.scalars(
        select(Well.id).where(Well.run_id == run.id).order_by(Well.id).limit(MOST_WELLS)
    ).all()
    of_run = FrameRow.well_id.in_(wells)
    newest = session.execute(
        select(FrameRow.channel)
        .where(of_run, FrameRow.state == FrameState.SCORED)
        .order_by(FrameRow.settled_at.desc())
        .limit(1)
    ).first()
    channel = None if newest is None else newest.channel
    sites = (
        select(func.count(FrameRow.site.distinct()).label("n"))
        .where(of_run, FrameRow.channel == channel, FrameRow.state == FrameState.SCORED)
        .group_by(FrameRow.well_id)
        .subquery()
    )
    day, interval_h = _course(session, wells)
    return RunResults(
        name=run.name,
        day=day,
        last_at=session.scalar(select(func.max(FrameRow.settled_at)).where(of_run)),
        started_at=run.started_at,
        day_0_at=run.started_at or run.first_frame_at,
        channel=channel,
        interval_h=interval_h,
        sites=session.scalar(select(func.max(sites.c.n))),
        final_day=session.scalar(
            select(WellOutlook.final_day)
            .where(WellOutlook.well_id.in_(wells))
            .order_by(WellOutlook.time_point.desc())
            .limit(1)
        ),
    )


def _course(session: Session, wells: Sequence[int]) -> tuple[float | None, float | None]:
    """Return the latest judged day, and the hours between time points."""
    bounds = (
        select(
            WellEstimate.well_id,
            func.min(WellEstimate.time_point).label("first"),
            func.max(WellEstimate.time_point).label("last"),
        )
        .where(WellEstimate.well_id.in_(wells))
        .group_by(WellEstimate.well_id)
        .subquery()
    )
    first, last = aliased(WellEstimate), aliased(WellEstimate)
    found = session.execute(
        select(bounds.c.first, bounds.c.last, first.day, last.day)
        .join(first, and_(first.well_id == bounds.c.well_id, first.time_point == bounds.c.first))
        .join(last, and_(last.well_id == bounds.c.well_id, last.time_point == bounds.c.last))
    ).all()
    hours = [
        24 * (end - begin) / (until - since)
        for since, until, begin, end in found
        if until - since >= LEAST_TIME_POINTS
    ]
    day = max((end for *_, end in found), default=None)
    return day, median(hours) if hours else None
