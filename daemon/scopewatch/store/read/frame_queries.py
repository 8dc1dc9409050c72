"""Frames as the ledger and the results know them."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.well_name import WellName
from scopewatch.store.read.judging import AGAIN
from scopewatch.store.read.records.frames import FrameRecord
from scopewatch.store.read.records.quarantine import ReasonRow, RefusedRow
from scopewatch.store.read.well_queries import named
from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.tables import FrameRow, RefusalRow, Result, Run, Well

# Pictures that a crash left are looked for at the next start of the daemon.
LATELY: Final = timedelta(days=14)


def efficiency_of(result: Any) -> Efficiency:
    """Return the efficiency of a result, or of a row of its columns, with its interval."""
    return Efficiency(
        value=result.efficiency, low=result.low, high=result.high, corrected=result.corrected
    )


def frame_key(run: Run, well: Well, frame: FrameRow) -> FrameKey:
    """Return the key of a frame."""
    return FrameKey(
        run=run.name,
        plate=well.plate,
        well=well.name,
        site=frame.site,
        time_point=frame.time_point,
        channel=frame.channel,
    )


def select_frames() -> "Select[FrameRow, Well, Run, Result]":
    """Select every frame with its well, its run and its result, if it has one."""
    return (
        select(FrameRow, Well, Run, Result)
        .join(Well, Well.id == FrameRow.well_id)
        .join(Run, Run.id == Well.run_id)
        .outerjoin(Result, Result.frame_id == FrameRow.id)
    )


def frame_record(frame: FrameRow, well: Well, run: Run, result: Result | None) -> FrameRecord:
    """Turn a row of `select_frames` into a plain value."""
    return FrameRecord(
        key=frame_key(run, well, frame),
        source=frame.source,
        locator=frame.locator,
        state=frame.state.value,
        attempts=frame.attempts,
        fault=frame.fault,
        reason=frame.reason,
        seen_at=frame.seen_at,
        settled_at=frame.settled_at,
        acquired_at=result.acquired_at if result else None,
        day=result.day if result else None,
        pixel_size_um=result.pixel_size_um if result else None,
        view_um_per_px=result.view_um_per_px if result else None,
        positive_fraction=result.positive_fraction if result else None,
        efficiency=efficiency_of(result) if result else None,
        model_id=result.model_id if result else None,
        total_ms=result.total_ms if result else None,
        overlay=result.overlay if result else None,
        stain=result.stain if result else None,
        z=_whole(result, "z"),
        z_planes=_whole(result, "z_planes"),
    )


def _whole(result: Result | None, measure: str) -> int | None:
    """Return a measure of a result as a whole number; None where it has none."""
    value = None if result is None else result.measures.get(measure)
    return None if value is None else int(value)


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


def select_refused(
    name: WellName | None,
    run: str | None = None,
    within: Sequence[ColumnElement[bool]] = (),
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


def count_reasons(
    session: Session, run: str | None, within: Sequence[ColumnElement[bool]]
) -> list[ReasonRow]:
    """Count what `select_refused` selects by fault, the most frequent first."""
    every = select_refused(None, run, within).order_by(None).cte()
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
        newest = refused_row(row)
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


def refused_row(row: Any) -> RefusedRow:
    """Turn a row of `select_refused` into a plain value."""
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


def without_result(session: Session) -> list[FrameKey]:
    """Return the frames that are worked on, or were quarantined lately, and have no result."""
    newest = session.scalar(select(func.max(FrameRow.settled_at)))
    # Written out, so that a database sees that the small index will do.
    conditions = [FrameRow.state == literal_column(f"'{FrameState.CLAIMED}'")]
    if newest is not None:
        since = newest - LATELY
        got_frames = select(FrameRow.well_id).where(FrameRow.settled_at > since)
        runs = select(Well.run_id).where(Well.id.in_(got_frames))
        conditions.append(
            and_(
                FrameRow.well_id.in_(select(Well.id).where(Well.run_id.in_(runs))),
                FrameRow.state == FrameState.QUARANTINED,
                FrameRow.settled_at > since,
            )
        )
    return [
        frame_key(run, well, frame)
        for condition in conditions
        for frame, well, run, _ in session.execute(
            select_frames().where(condition, Result.frame_id.is_(None))
        )
    ]
