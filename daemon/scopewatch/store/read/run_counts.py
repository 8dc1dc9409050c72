"""How many frames a run has, or the whole database, by state."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select
from sqlalchemy.orm import Session

from scopewatch.store.read.quarantine_queries import refused_within
from scopewatch.store.read.records.frames import Counts
from scopewatch.store.read.well_counts import Counted, count_by_well
from scopewatch.store.read.well_queries import newest_time_point
from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.tables import FrameRow, RefusalRow, Result, Run, Well
from scopewatch.store.schema.well_tables import WellEstimate


def well_ids(session: Session, name: str | None) -> list[int]:
    """Return the wells of a run, or of the whole database."""
    query = select(Well.id)
    if name is not None:
        query = query.join(Run).where(Run.name == name)
    return list(session.scalars(query))


@lru_cache(maxsize=1)
def _select_newest_day() -> "Select[Any]":
    newest = WellEstimate.time_point == newest_time_point(WellEstimate)
    return (
        select(func.max(WellEstimate.day))
        .join(Well, and_(Well.id == WellEstimate.well_id, newest))
        .join(Run)
        .where(Run.name == bindparam("run"))
    )


def count_frames(
    session: Session, name: str | None, counted: Mapping[int, Counted] | None = None
) -> Counts:
    """Count the frames of a run, or of the whole database.

    Parameters
    ----------
    counted
        Those of its wells, where they were counted already.
    """
    refused: tuple[ColumnElement[bool], ...] = ()
    if counted is None:
        counted = count_by_well(session, well_ids(session, name))
    newest_day = (
        select(Result.day)
        .join(FrameRow, FrameRow.id == Result.frame_id)
        .where(FrameRow.settled_at.is_not(None))
        .order_by(FrameRow.settled_at.desc(), FrameRow.id.desc())
        .limit(1)
    )
    if name is not None:
        refused = refused_within(session, name)
        newest_day = _select_newest_day().params(run=name)
    wells = counted.values()
    by_state = {state: sum(each.frames[state] for each in wells) for state in FrameState}
    return Counts(
        scored=by_state[FrameState.SCORED],
        quarantined=by_state[FrameState.QUARANTINED],
        waiting=by_state[FrameState.CLAIMED],
        skipped=by_state[FrameState.SKIPPED],
        missed=by_state[FrameState.MISSED],
        refused=session.scalar(select(func.count()).select_from(RefusalRow).where(*refused)) or 0,
        last_frame_at=max(
            (each.last_at for each in wells if each.last_at is not None), default=None
        ),
        newest_day=session.scalar(newest_day),
        scale_stated=_is_scale_stated(session, counted),
    )


def _is_scale_stated(session: Session, counted: Mapping[int, Counted]) -> bool | None:
    """Return whether the newest scored frame has a pixel size; None where none is scored."""
    scored = {
        well: at
        for well, each in counted.items()
        if (at := each.settled_at.get(FrameState.SCORED)) is not None
    }
    if not scored:
        return None
    # Of one well: over all frames of a run it would be slow.
    well = max(scored, key=lambda each: scored[each])
    newest = session.execute(_select_newest_scale(), {"well": well}).first()
    return newest is not None and newest[0] is not None


@lru_cache(maxsize=1)
def _select_newest_scale() -> "Select[Any]":
    return (
        select(Result.pixel_size_um)
        .join(FrameRow, FrameRow.id == Result.frame_id)
        .where(FrameRow.well_id == bindparam("well"), FrameRow.state == FrameState.SCORED)
        .order_by(FrameRow.settled_at.desc())
        .limit(1)
    )
