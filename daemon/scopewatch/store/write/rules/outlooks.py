"""What is known of a well at each time point: where it stands and what it will come to.

An outlook follows from the well's estimates up to its time point and from the card alone, so that
the forecast of every earlier day can be looked at on the final one.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, bindparam, delete, func, insert, select
from sqlalchemy.orm import Session

from scopewatch.core.estimation.smoothing import WellPoint
from scopewatch.monitoring.outlooks import Sighting, Standing, look_on
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.monitoring.well_facts import to_point
from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.outlook_rows import row_of, unpack_filter
from scopewatch.store.schema.tables import FrameRow, Well
from scopewatch.store.schema.well_tables import WellEstimate, WellOutlook
from scopewatch.store.write.budget import Budget

# Time points of a well that are looked at between two looks at the budget.
SLICE: Final = 256
MANY: Final = 2**31


def look_ahead(
    session: Session,
    well: Well,
    channel: str,
    policy: RunPolicy,
    budget: Budget,
    *,
    since: int,
) -> bool:
    """Write the outlooks of a well anew, from time point `since` on, or from where they were due.

    A time point has one when it was judged, or could not be but an earlier one was.

    Returns
    -------
    False where the budget was spent before the last one: the others stay due.
    """
    due: int | None = since if well.outlooks_due is None else min(since, well.outlooks_due)
    begun = False
    while due is not None and not (begun and budget.spent):
        due = _write_slice(session, well.id, channel, policy, due)
        begun = True
    well.outlooks_due = due
    session.flush()
    return due is None


def look_ahead_again(
    session: Session, wells: Sequence[Well], channel: str, policy: RunPolicy, budget: Budget
) -> bool:
    """Write the outlooks of wells that are due, as far as the budget goes.

    Returns
    -------
    Whether none is due any more.
    """
    for number, well in enumerate(wells):
        if well.outlooks_due is None:
            continue
        if (number and budget.spent) or not look_ahead(
            session, well, channel, policy, budget, since=well.outlooks_due
        ):
            return False
    return True


def due_wells(session: Session, run_id: int | None = None) -> Sequence[Well]:
    """Return the wells (of a run) whose outlooks are due, run by run."""
    if run_id is None:
        return session.scalars(_due()).all()
    return session.scalars(_due_of_run(), {"run": run_id}).all()


def _write_slice(
    session: Session, well_id: int, channel: str, policy: RunPolicy, since: int
) -> int | None:
    """Write the next outlooks of a well; return from where on more are due."""
    sightings, due = _sightings(session, well_id, channel, since)
    again = delete(WellOutlook).where(
        WellOutlook.well_id == well_id, WellOutlook.time_point >= since
    )
    session.execute(again if due is None else again.where(WellOutlook.time_point < due))

    def earlier() -> list[WellPoint]:
        return [point for _, point in _points(session, well_id, 0, since)]

    outlooks = look_on(_standing(session, well_id, since), sightings, policy, earlier=earlier)
    rows = [row_of(well_id, outlook, policy) for outlook in outlooks]
    if rows:
        session.execute(insert(WellOutlook), rows)
    return due


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
