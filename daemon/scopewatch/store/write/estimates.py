"""Results of frames, and the estimates of wells that follow from them."""

from functools import cache
from typing import Any

from sqlalchemy import Delete, Select, bindparam, delete, insert, select
from sqlalchemy.orm import Session

from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.imaging.moment import Moment
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult
from scopewatch.monitoring.estimates import PooledSites
from scopewatch.store.files.tiles import pack
from scopewatch.store.schema.columns import ASIDE, table_of
from scopewatch.store.schema.tables import FrameRow, Result, TileScoresRow
from scopewatch.store.schema.well_tables import WellEstimate


def write_result(
    session: Session,
    row: FrameRow,
    frame: Frame,
    result: FrameResult,
    files: OverlayFiles,
    day: float,
    moment: Moment,
) -> None:
    """Store the result of a judged frame in place of any earlier one."""
    if result.efficiency is None or result.scores is None or result.positive_fraction is None:
        raise ValueError(f"{result.key} was not judged: quarantine it instead")
    drop_result(session, row)
    # Without objects of a session, which cost more than the statements: nobody reads them there.
    session.execute(
        insert(table_of(Result)),
        {
            "frame_id": row.id,
            "model_id": result.model_id,
            "acquired_at": moment.acquired_at,
            "elapsed_s": moment.elapsed_s,
            "day": day,
            "pixel_size_um": frame.pixel_size_um,
            "view_um_per_px": result.view_um_per_px,
            "positive_fraction": result.positive_fraction,
            "efficiency": result.efficiency.value,
            "low": result.efficiency.low,
            "high": result.efficiency.high,
            "corrected": result.efficiency.corrected,
            "measures": dict(result.verdict.measures),
            "normalise_ms": result.timings.normalise_ms,
            "score_ms": result.timings.score_ms,
            "total_ms": result.timings.total_ms,
            "overlay": files.overlay,
            "stain": files.stain,
        },
    )
    probability, valid = pack(result.scores)
    session.execute(
        insert(table_of(TileScoresRow)),
        {
            "frame_id": row.id,
            "height_px": result.scores.grid.height,
            "width_px": result.scores.grid.width,
            "tile_px": result.scores.grid.tile_px,
            "probability": probability,
            "valid": valid,
        },
    )


def drop_result(session: Session, row: FrameRow) -> None:
    """Remove the result of a frame, where it has one."""
    asked = {"frame": row.id}
    if session.scalar(_result(), asked) is None:
        return
    for statement in _drop():
        session.execute(statement, asked)


def read_sites(
    session: Session, well_id: int, time_point: int, channel: str
) -> list[tuple[float, Efficiency]]:
    """Return the judged sites of a well at a time point: day and efficiency of each, by site."""
    asked = {"well": well_id, "time_point": time_point, "channel": channel}
    return [
        (day, Efficiency(value=value, low=low, high=high, corrected=corrected))
        for day, value, low, high, corrected in session.execute(_sites(), asked)
    ]


def write_estimate(
    session: Session, well_id: int, time_point: int, pooled: PooledSites | None
) -> None:
    """Write the estimate of a well at a time point in place of the one that it has."""
    session.execute(_drop_estimate(), {"well": well_id, "time_point": time_point})
    if pooled is None:
        return
    session.execute(
        insert(table_of(WellEstimate)),
        {
            "well_id": well_id,
            "time_point": time_point,
            "day": pooled.day,
            "efficiency": pooled.efficiency.value,
            "low": pooled.efficiency.low,
            "high": pooled.efficiency.high,
            "corrected": pooled.efficiency.corrected,
            "n_sites": pooled.sites,
        },
    )


# What is asked at each commit is put together once: that takes longer than to ask it.


@cache
def _result() -> Select[*tuple[Any, ...]]:
    return select(Result.frame_id).where(Result.frame_id == bindparam("frame"))


@cache
def _drop() -> tuple[Delete, ...]:
    return tuple(
        delete(table).where(table.c.frame_id == bindparam("frame"))
        for table in map(table_of, (TileScoresRow, Result))
    )


@cache
def _drop_estimate() -> Delete:
    estimates = table_of(WellEstimate)
    return delete(estimates).where(
        estimates.c.well_id == bindparam("well"),
        estimates.c.time_point == bindparam("time_point"),
    )


@cache
def _sites() -> Select[*tuple[Any, ...]]:
    return (
        select(Result.day, Result.efficiency, Result.low, Result.high, Result.corrected)
        .join(FrameRow, FrameRow.id == Result.frame_id)
        .where(
            FrameRow.well_id == bindparam("well"),
            FrameRow.channel == bindparam("channel"),
            FrameRow.state.not_in(ASIDE),
            FrameRow.time_point == bindparam("time_point"),
        )
        .order_by(FrameRow.site)
    )
