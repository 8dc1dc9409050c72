"""The outlook of a well at each time point: its smoothed estimate and its forecast.

An outlook follows from the well's estimates up to its time point and from the card alone, so that
the forecast of every earlier day can be looked at on the final one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Delete, Select, bindparam, delete, func, insert, select
from sqlalchemy.orm import Session

from scopewatch.core.estimation.smoothing import WellPoint
from scopewatch.monitoring.outlooks import Foreseen, Sighting, Standing
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.monitoring.well_facts import to_point
from scopewatch.store.schema.columns import FrameState, table_of
from scopewatch.store.schema.outlook_rows import row_of, unpack_filter
from scopewatch.store.schema.tables import FrameRow, Well
from scopewatch.store.schema.well_tables import WellEstimate, WellOutlook

# Time points of a well that are read at once.
SLICE: Final = 256
MANY: Final = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class Sightings:
    """The next time points of a well whose outlooks are due.

    Parameters
    ----------
    since
        The first time point that is due.
    until
        The first that is left for the next call; None where these are all.
    before
        The state of the well before them; None where nothing was judged by then.
    found
        The time points.
    """

    since: int
    until: int | None
    before: Standing | None
    found: tuple[Sighting, ...]


def due_wells(session: Session, run_id: int | None = None) -> Sequence[Well]:
    """Return the wells (of a run) whose outlooks are due, run by run."""
    if run_id is None:
        return session.scalars(_due()).all()
    return session.scalars(_due_of_run(), {"run": run_id}).all()


def load_sightings(session: Session, well_id: int, channel: str, since: int) -> Sightings:
    """Read the next time points of a well from one on: as many as are held at once."""
    found, until = _sightings(session, well_id, channel, since)
    return Sightings(
        since=since, until=until, before=_standing(session, well_id, since), found=tuple(found)
    )


def points_before(session: Session, well_id: int, time_point: int) -> list[WellPoint]:
    """Return all judged time points of a well before one."""
    return [point for _, point in _points(session, well_id, 0, time_point)]


def save_outlooks(
    session: Session,
    well_id: int,
    of: Sightings,
    outlooks: Iterable[Foreseen],
    policy: RunPolicy,
) -> None:
    """Write the outlooks of a well over these time points in place of those that it has."""
    until = MANY if of.until is None else of.until
    session.execute(_drop(), {"well": well_id, "since": of.since, "until": until})
    rows = [row_of(well_id, outlook, policy) for outlook in outlooks]
    if rows:
        session.execute(insert(table_of(WellOutlook)), rows)


def _standing(session: Session, well_id: int, before: int) -> Standing | None:
    """Return where a well stood before a time point; None where nothing was judged by then."""
    found = session.execute(_stood(), {"well": well_id, "before": before}).one_or_none()
    if found is None:
        return None
    newest, day, kept = found
    return Standing(filter=unpack_filter(kept) if kept else None, newest=newest, day=day)


def _sightings(
    session: Session, well_id: int, channel: str, since: int
) -> tuple[list[Sighting], int | None]:
    """Return the next time points of a well, and the one that follows them, if any does."""
    points = dict(_points(session, well_id, since, limit=SLICE + 1))
    faults = _faults(session, well_id, channel, since)
    known = sorted({*points, *faults})
    # What lies beyond a list that was cut short is not known yet.
    due = known[SLICE] if len(known) > SLICE else None
    return [
        Sighting(time_point=at, point=points.get(at), fault=faults.get(at, ""))
        for at in known[:SLICE]
    ], due


def _points(
    session: Session, well_id: int, since: int, until: int = MANY, limit: int = MANY
) -> list[tuple[int, WellPoint]]:
    """Return the judged time points of a well from one on, and before another."""
    asked = {"well": well_id, "since": since, "until": until, "limit": limit}
    return [
        (time_point, to_point(day, efficiency, low, high))
        for time_point, day, efficiency, low, high in session.execute(_judged(), asked)
    ]


def _faults(session: Session, well_id: int, channel: str, since: int) -> Mapping[int, str]:
    """Return the fault of the next time points of which nothing but unfit frames is known."""
    asked = {"well": well_id, "channel": channel, "since": since, "limit": SLICE + 1}
    return {time_point: fault or "" for time_point, fault in session.execute(_unfit(), asked)}


# What is asked at each commit is put together once: that takes longer than to ask it.


@cache
def _due() -> Select[*tuple[Any, ...]]:
    return select(Well).where(Well.outlooks_due.is_not(None)).order_by(Well.run_id, Well.id)


@cache
def _due_of_run() -> Select[*tuple[Any, ...]]:
    return _due().where(Well.run_id == bindparam("run"))


@cache
def _drop() -> Delete:
    outlooks = table_of(WellOutlook)
    return delete(outlooks).where(
        outlooks.c.well_id == bindparam("well"),
        outlooks.c.time_point >= bindparam("since"),
        outlooks.c.time_point < bindparam("until"),
    )


@cache
def _stood() -> Select[*tuple[Any, ...]]:
    kept = (
        select(WellOutlook.filter)
        .where(
            WellOutlook.well_id == bindparam("well"), WellOutlook.time_point < bindparam("before")
        )
        .order_by(WellOutlook.time_point.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(WellEstimate.time_point, WellEstimate.day, kept)
        .where(
            WellEstimate.well_id == bindparam("well"),
            WellEstimate.time_point < bindparam("before"),
        )
        .order_by(WellEstimate.time_point.desc())
        .limit(1)
    )


@cache
def _judged() -> Select[*tuple[Any, ...]]:
    return (
        select(
            WellEstimate.time_point,
            WellEstimate.day,
            WellEstimate.efficiency,
            WellEstimate.low,
            WellEstimate.high,
        )
        .where(
            WellEstimate.well_id == bindparam("well"),
            WellEstimate.time_point >= bindparam("since"),
            WellEstimate.time_point < bindparam("until"),
        )
        .order_by(WellEstimate.time_point)
        .limit(bindparam("limit"))
    )


@cache
def _unfit() -> Select[*tuple[Any, ...]]:
    return (
        select(FrameRow.time_point, func.min(FrameRow.fault))
        .where(
            FrameRow.well_id == bindparam("well"),
            FrameRow.channel == bindparam("channel"),
            FrameRow.time_point >= bindparam("since"),
            FrameRow.state == FrameState.QUARANTINED,
        )
        .group_by(FrameRow.time_point)
        .order_by(FrameRow.time_point)
        .limit(bindparam("limit"))
    )
