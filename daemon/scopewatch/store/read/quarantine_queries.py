"""Frames that could not be judged, and files that never became one."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.well_name import WellName
from scopewatch.store.read.judging import AGAIN
from scopewatch.store.read.records.quarantine import ReasonRow, RefusedRow
from scopewatch.store.read.well_queries import named
from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.tables import FrameRow, RefusalRow, Run, Well


@lru_cache(maxsize=1)
def _select_bounds() -> "Select[datetime, datetime, datetime]":
    """Select when a run began, the first of all, and the one after it."""
    earliest, later = aliased(Run), aliased(Run)
    return select(
        Run.first_seen_at,
        select(func.min(earliest.first_seen_at)).scalar_subquery(),
        select(func.min(later.first_seen_at))
        .where(later.first_seen_at > Run.first_seen_at)
        .correlate(Run)
        .scalar_subquery(),
    ).where(Run.name == bindparam("run"))


def refused_within(session: Session, run: str) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for files that were refused while a run was the newest.

    What is no frame is of no run: it counts for the one that was under way.
    """
    bounds = session.execute(_select_bounds(), {"run": run}).one_or_none()
    if bounds is None:
        return ()
    began, first, ended = bounds
    conditions: list[ColumnElement[bool]] = []
    if first < began:
        conditions.append(RefusalRow.recorded_at >= began)
    if ended is not None:
        conditions.append(RefusalRow.recorded_at < ended)
    return tuple(conditions)


def list_quarantined(
    session: Session, name: WellName | None, run: str | None, limit: int, offset: int
) -> list[RefusedRow]:
    """Return quarantined and missed frames (of a well, a run) and refused files, newest first."""
    query = _select_refused(name, run, _within(session, run))
    return [_refused_row(row) for row in session.execute(query.limit(limit).offset(offset))]


def _within(session: Session, run: str | None) -> tuple[ColumnElement[bool], ...]:
    return () if run is None else refused_within(session, run)


def _select_refused(
    name: WellName | None, run: str | None, within: Sequence[ColumnElement[bool]]
) -> Select[Any]:
    """Select quarantined and missed frames and files that are none, newest first.

    Parameters
    ----------
    name, run
        The well, or the run, whose frames are meant.
    within
        Which refused files are meant; see `refused_within`.
    """
    quarantined = (
        select(
            Run.name.label("experiment"),
            Well.plate.label("plate"),
            Well.name.label("well"),
            FrameRow.site.label("site"),
            FrameRow.time_point.label("time_point"),
            FrameRow.channel.label("channel"),
            FrameRow.source.label("source"),
            FrameRow.locator.label("locator"),
            FrameRow.fault.label("fault"),
            FrameRow.reason.label("reason"),
            FrameRow.attempts.label("attempts"),
            func.coalesce(FrameRow.settled_at, FrameRow.claimed_at).label("at"),
            (FrameRow.judged_under == AGAIN).label("asked_again"),
        )
        .join(Well, Well.id == FrameRow.well_id)
        .join(Run, Run.id == Well.run_id)
        .where(FrameRow.state.in_((FrameState.QUARANTINED, FrameState.MISSED)))
    )
    if run is not None:
        quarantined = quarantined.where(Run.name == run)
    if name is not None:
        both = quarantined.where(*named(name)).subquery()
    else:
        without_key = (null().label(part) for part in ("experiment", "plate", "well"))
        without_place = (null().label(part) for part in ("site", "time_point", "channel"))
        refusals = select(
            *without_key,
            *without_place,
            RefusalRow.source,
            RefusalRow.locator,
            RefusalRow.fault,
            RefusalRow.reason,
            literal(0),
            RefusalRow.recorded_at,
            RefusalRow.judged_under == AGAIN,
        ).where(*within)
        both = union_all(quarantined, refusals).subquery()
    return select(both).order_by(both.c.at.desc(), both.c.source, both.c.locator)


def count_reasons(session: Session, run: str | None) -> list[ReasonRow]:
    """Count what is in quarantine or was missed (of a run) by fault, the most frequent first."""
    every = _select_refused(None, run, _within(session, run)).order_by(None).cte()
    counted = (
        select(
            every.c.fault,
            func.count().label("how_many"),
            func.sum(cast(every.c.asked_again, Integer)).label("waiting"),
            func.max(every.c.at).label("newest"),
        )
        .group_by(every.c.fault)
        .subquery()
    )
    rows = session.execute(
        select(every, counted.c.how_many, counted.c.waiting)
        .join(counted, and_(every.c.fault == counted.c.fault, every.c.at == counted.c.newest))
        .order_by(counted.c.how_many.desc(), every.c.fault, every.c.source, every.c.locator)
    )
    found: dict[str, ReasonRow] = {}
    for row in rows:
        newest = _refused_row(row)
        # Several may be the newest: the first of them is shown.
        found.setdefault(
            newest.fault,
            ReasonRow(
                fault=newest.fault,
                count=row.how_many,
                what=newest.what,
                reason=newest.reason,
                at=newest.at,
                asked_again=int(row.waiting or 0),
            ),
        )
    return list(found.values())


def _refused_row(row: Any) -> RefusedRow:
    """Turn a row of `_select_refused` into a plain value."""
    well, what = None, row.locator
    if row.experiment is not None:
        well = WellName(run=row.experiment, plate=row.plate, well=row.well)
        what = str(
            FrameKey(
                run=row.experiment,
                plate=row.plate,
                well=row.well,
                site=row.site,
                time_point=row.time_point,
                channel=row.channel,
            )
        )
    return RefusedRow(
        what=what,
        well=well,
        source=row.source,
        locator=row.locator,
        fault=row.fault,
        reason=row.reason,
        attempts=row.attempts,
        at=row.at,
        asked_again=bool(row.asked_again),
    )


def list_refused(session: Session, batch: int) -> Iterator[RefusedRow]:
    """Yield the files that never became a frame, newest first; so many rows are read at once."""
    rows = session.execute(
        select(RefusalRow)
        .order_by(RefusalRow.recorded_at.desc(), RefusalRow.source, RefusalRow.locator)
        .execution_options(yield_per=batch)
    )
    for (row,) in rows:
        yield RefusedRow(
            what=row.locator,
            well=None,
            source=row.source,
            locator=row.locator,
            fault=row.fault,
            reason=row.reason,
            attempts=0,
            at=row.recorded_at,
            asked_again=row.judged_under == AGAIN,
        )
