"""Reads the journal of time-lapses that are acquired."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from scopewatch.core.acquisition import Act, JournalEntry
from scopewatch.store.schema.tables import JournalRow


def newest_entries(session: Session, run: str | None, limit: int) -> list[JournalEntry]:
    """Return the newest entries (of a run), oldest first."""
    query = select(JournalRow).order_by(JournalRow.id.desc()).limit(limit)
    if run is not None:
        query = query.where(JournalRow.run == run)
    return [entry_of(row) for row in session.scalars(query)][::-1]


def entry_of(row: JournalRow) -> JournalEntry:
    """Return a row as an entry."""
    return JournalEntry(
        number=row.id,
        source=row.source,
        run=row.run,
        act=Act(row.act),
        by=row.by,
        at=row.at,
        done=row.done,
        done_at=row.done_at,
        outcome=row.outcome,
        height_um=row.height_um,
        time_point=row.time_point,
    )
