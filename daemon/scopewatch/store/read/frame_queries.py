"""Frames as the ledger and the results know them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import (
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.orm import Session

from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.store.read.records.frames import FrameRecord
from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.tables import FrameRow, Result, Run, Well

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


def newest_frames(session: Session, limit: int) -> list[FrameRecord]:
    """Return the frames settled last, newest first."""
    query = (
        select_frames()
        .where(FrameRow.settled_at.is_not(None))
        .order_by(FrameRow.settled_at.desc(), FrameRow.id.desc())
        .limit(limit)
    )
    return [frame_record(*row) for row in session.execute(query)]


def every_frame(session: Session, batch: int) -> Iterator[FrameRecord]:
    """Yield every frame by run, plate, well, channel, time point and site.

    It reads well by well, each in the order of an index, and so many rows at once, so that an
    export of any size holds little memory, sorts nothing on the disk and blocks nobody.
    """
    wells = select(Well.id).order_by(Well.run_id, Well.plate, Well.name)
    of_well = (
        select_frames()
        .where(FrameRow.well_id == bindparam("well"))
        .order_by(FrameRow.channel, FrameRow.time_point, FrameRow.site)
        .execution_options(yield_per=batch)
    )
    for well in session.scalars(wells).all():
        for row in session.execute(of_well, {"well": well}):
            yield frame_record(*row)
