"""Rows of the ledger: a frame by its key, a run by its name."""

from functools import cache

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session, contains_eager

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.store.read.frame_queries import frame_key
from scopewatch.store.schema.tables import FrameRow, Run, Well


def find_frame(session: Session, key: FrameKey) -> FrameRow | None:
    """Return the row of a key, whatever file it came from."""
    asked = {
        "run": key.run,
        "plate": key.plate,
        "well": key.well,
        "channel": key.channel,
        "time_point": key.time_point,
        "site": key.site,
    }
    return session.scalar(_frame(), asked)


def find_run(session: Session, name: str) -> Run | None:
    """Return the row of a run."""
    return session.scalar(_run(), {"run": name})


def find_well(session: Session, key: FrameKey) -> Well | None:
    """Return the row of the well of a key."""
    asked = {"run": key.run, "plate": key.plate, "well": key.well}
    return session.scalar(_well(), asked)


def key_of(row: FrameRow) -> FrameKey:
    """Return the key of a frame."""
    return frame_key(row.well.run, row.well, row)


# What is asked at each claim and commit is put together once: that takes longer than to ask it.


@cache
def _frame() -> Select[FrameRow]:
    # With its well and run, which whoever asks for a frame needs as well.
    return (
        select(FrameRow)
        .join(FrameRow.well)
        .join(Well.run)
        .options(contains_eager(FrameRow.well).contains_eager(Well.run))
        .where(
            Run.name == bindparam("run"),
            Well.plate == bindparam("plate"),
            Well.name == bindparam("well"),
            FrameRow.channel == bindparam("channel"),
            FrameRow.time_point == bindparam("time_point"),
            FrameRow.site == bindparam("site"),
        )
    )


@cache
def _run() -> Select[Run]:
    return select(Run).where(Run.name == bindparam("run"))


@cache
def _well() -> Select[Well]:
    return (
        select(Well)
        .join(Well.run)
        .options(contains_eager(Well.run))
        .where(
            Run.name == bindparam("run"),
            Well.plate == bindparam("plate"),
            Well.name == bindparam("well"),
        )
    )
