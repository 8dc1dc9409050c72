"""The course of a well: its estimates, outlooks and pictures by time point."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scopewatch.core.well_name import WellName
from scopewatch.store.read.frame_queries import efficiency_of
from scopewatch.store.read.records.runs_and_wells import CoursePoint, Outlook, Shot
from scopewatch.store.read.well_queries import named, outlook_of
from scopewatch.store.schema.tables import FrameRow, Result, Run, Well
from scopewatch.store.schema.well_tables import WellEstimate, WellOutlook


def newest_course(session: Session, name: WellName, limit: int) -> list[CoursePoint]:
    """Return the newest `limit` time points of a well, oldest first."""
    return [_course_point(row) for row in _newest_of(session, WellEstimate, name, limit)]


def whole_course(session: Session, name: WellName, most: int) -> list[CoursePoint]:
    """Return at most so many time points of a well, evenly from its first to its newest."""
    of_well = select(WellEstimate).join(Well, Well.id == WellEstimate.well_id).join(Run)
    span = of_well.with_only_columns(
        func.min(WellEstimate.time_point), func.max(WellEstimate.time_point)
    ).where(*named(name))
    first, last = session.execute(span).one()
    if last is None:
        return []
    step = -(-(last - first + 1) // most)
    rows = session.execute(
        select(*WellEstimate.__table__.columns)
        .join(Well, Well.id == WellEstimate.well_id)
        .join(Run)
        .where(*named(name), (last - WellEstimate.time_point) % step == 0)
        .order_by(WellEstimate.time_point)
    ).all()
    return [_course_point(row) for row in rows]


def outlooks_of(session: Session, name: WellName, limit: int, *, errors: bool) -> list[Outlook]:
    """Return the outlooks of a well at its newest `limit` time points, oldest first."""
    without = ("filter",) if errors else ("filter", "errors")
    newest = _newest_of(session, WellOutlook, name, limit, without)
    return [outlook_of(row, row.errors if errors else ()) for row in newest]


def newest_shots(session: Session, name: WellName, limit: int) -> list[Shot]:
    """Return the newest `limit` pictures of a well, newest first."""
    # Each judged time point has a picture: none that is older need be looked at.
    oldest = (
        select(WellEstimate.time_point)
        .where(WellEstimate.well_id == Well.id)
        .order_by(WellEstimate.time_point.desc())
        .limit(1)
        .offset(limit - 1)
        .correlate(Well)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            FrameRow.site,
            FrameRow.time_point,
            FrameRow.settled_at,
            Result.overlay,
            Result.stain,
            Result.day,
            Result.efficiency,
            Result.low,
            Result.high,
            Result.corrected,
            Result.pixel_size_um,
        )
        .join(Result, Result.frame_id == FrameRow.id)
        .join(Well, Well.id == FrameRow.well_id)
        .join(Run)
        .where(*named(name), FrameRow.time_point >= func.coalesce(oldest, -1))
        .order_by(FrameRow.time_point.desc(), FrameRow.site)
        .limit(limit)
    ).all()
    return [
        Shot(
            overlay=row.overlay,
            stain=row.stain,
            site=row.site,
            time_point=row.time_point,
            day=row.day,
            efficiency=efficiency_of(row),
            drawn_at=row.settled_at,
            pixel_size_um=row.pixel_size_um,
        )
        for row in rows
    ]


def _course_point(row: Any) -> CoursePoint:
    return CoursePoint(
        time_point=row.time_point,
        day=row.day,
        efficiency=efficiency_of(row),
        sites=row.n_sites,
    )


def _newest_of(
    session: Session,
    table: type[WellEstimate] | type[WellOutlook],
    name: WellName,
    limit: int,
    without: Collection[str] = (),
) -> list[Any]:
    """Return the columns of a well's rows at its newest `limit` time points, oldest first."""
    newest = session.execute(
        select(*(each for each in table.__table__.columns if each.name not in without))
        .join(Well, Well.id == table.well_id)
        .join(Run)
        .where(*named(name))
        .order_by(table.time_point.desc())
        .limit(limit)
    ).all()
    return list(reversed(newest))
