"""Frames that were given up, and are tried once more after many others."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from scopewatch.core.faults import Fault
from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.tables import FrameRow

SINCE: Final = 100
"""Others that are settled before a frame that was given up is tried once more."""


def find_second_try(session: Session, sources: Collection[str]) -> FrameRow | None:
    """Return the frame of some sources that was given up first; None while it is not due."""
    # Written out, and by nothing else, so that SQLite sees that the small index will do.
    failed = select(FrameRow).where(FrameRow.fault == literal_column(f"'{Fault.FAILED}'"))
    row = next(
        (
            row
            for row in session.scalars(failed.order_by(FrameRow.settled_at))
            if row.state is FrameState.QUARANTINED and not row.retried and row.source in sources
        ),
        None,
    )
    if row is None:
        return None
    since = select(FrameRow.id).where(FrameRow.settled_at > row.settled_at).limit(SINCE)
    others = session.scalar(select(func.count()).select_from(since.subquery()))
    return row if others == SINCE else None
