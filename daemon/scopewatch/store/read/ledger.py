"""Rows of the ledger: a frame by its key, a run by its name."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.store.read.frame_queries import frame_key
from scopewatch.store.schema.tables import FrameRow, Run, Well


def find_frame(session: Session, key: FrameKey) -> FrameRow | None:
    """Return the row of a key, whatever file it came from."""
    return session.scalar(
        select(FrameRow)
        .join(Well)
        .join(Run)
        .where(
            Run.name == key.run,
            Well.plate == key.plate,
            Well.name == key.well,
            FrameRow.channel == key.channel,
            FrameRow.time_point == key.time_point,
            FrameRow.site == key.site,
        )
    )


def find_run(session: Session, name: str) -> Run | None:
    """Return the row of a run."""
    return session.scalar(select(Run).where(Run.name == name))


def key_of(row: FrameRow) -> FrameKey:
    """Return the key of a frame."""
    return frame_key(row.well.run, row.well, row)
