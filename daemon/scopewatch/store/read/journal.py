"""Reads the journal of time-lapses that are acquired."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from scopewatch.core.acquisition import SKIPS, Act, JournalEntry, Target, wells_marked_dead
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
        target=target_of(row),
        reason=row.reason or "",
    )


def target_of(row: JournalRow) -> Target | None:
    """Return the well or image that a row is about; None where it is about the time-lapse."""
    if row.well is None:
        return None
    return Target(
        plate=row.plate or "",
        well=row.well,
        site=row.site,
        time_point=row.of_time_point,
        channel=row.channel,
    )


def dead_wells(session: Session, run: str) -> list[JournalEntry]:
    """Return the entry of each well of a run that is marked dead, oldest first."""
    rows = session.scalars(
        select(JournalRow)
        .where(
            JournalRow.run == run,
            JournalRow.done.is_(True),
            JournalRow.act.in_([act.value for act in SKIPS]),
        )
        .order_by(JournalRow.done_at, JournalRow.id)
    )
    return wells_marked_dead([entry_of(row) for row in rows])
