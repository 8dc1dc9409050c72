"""The journal of time-lapses that are acquired: what people want of them, and what came of it.

Any process may write down an order; the daemon looks every second, passes it to its source, and
writes what came of it. The same table holds what a time-lapse does of its own accord.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from scopewatch.core.acquisition.journal import JournalEntry, holding
from scopewatch.core.acquisition.orders import HOLDS, ITSELF, Act, Order, Report, Target
from scopewatch.store.read.journal import entry_of, target_of
from scopewatch.store.schema.tables import JournalRow

_BEGUN = "under way"
_AT_ONCE = 100


def write_order(
    session: Session,
    source: str,
    run: str,
    act: Act,
    by: str,
    now: datetime,
    target: Target | None = None,
    reason: str = "",
) -> int:
    """Write down what somebody wants of a time-lapse; return its number."""
    row = JournalRow(
        source=source, run=run, act=act.value, by=by, at=now, outcome="", reason=reason or None
    )
    _aim(row, target)
    session.add(row)
    session.flush()
    return row.id


def open_orders(session: Session, source: str) -> list[Order]:
    """Return what was asked of a source and has no outcome yet, oldest first."""
    rows = session.scalars(
        select(JournalRow)
        .where(JournalRow.source == source, JournalRow.done.is_(None))
        .order_by(JournalRow.id)
        .limit(_AT_ONCE)
    )
    return [
        Order(
            number=row.id,
            act=Act(row.act),
            by=row.by,
            at=row.at,
            target=target_of(row),
            reason=row.reason or "",
        )
        for row in rows
    ]


def begin_order(session: Session, number: int) -> None:
    """Note that an order is handed to its source: it is not to be carried out a second time."""
    row = session.get(JournalRow, number)
    if row is not None and row.done is None:
        row.outcome = _BEGUN


def close_lost_orders(session: Session, source: str, now: datetime) -> int:
    """Close orders that an earlier daemon began, and never reported; return how many.

    A pause and a resume are carried out again, which changes nothing. A time point would be one
    too many. The objective may have been moved away: the time-lapse is held until somebody resumes.
    """
    lost = session.scalars(
        select(JournalRow).where(
            JournalRow.source == source,
            JournalRow.done.is_(None),
            JournalRow.outcome == _BEGUN,
            JournalRow.act.in_([Act.NOW.value, Act.MEDIUM.value]),
        )
    ).all()
    for row in lost:
        row.done, row.done_at = row.act == Act.MEDIUM.value, now
        row.outcome = "the daemon ended before it reported"
        if row.done:
            row.outcome += ": the objective may be away, held until somebody resumes"
    return len(lost)


def held_by(session: Session, source: str) -> JournalEntry | None:
    """Return what holds the time-lapse of a source; None where it goes on."""
    acts = [act.value for act in (*HOLDS, Act.RESUME)]
    newest = session.scalars(
        select(JournalRow)
        .where(JournalRow.source == source, JournalRow.done.is_(True), JournalRow.act.in_(acts))
        .order_by(JournalRow.done_at.desc(), JournalRow.id.desc())
        .limit(1)
    )
    return holding([entry_of(row) for row in newest])


def write_reports(session: Session, source: str, run: str, reports: Sequence[Report]) -> None:
    """Write down what came of orders, and what was done otherwise."""
    for report in reports:
        row = None if report.number is None else session.get(JournalRow, report.number)
        if row is None:
            row = JournalRow(source=source, run=run, act=report.act.value, by=ITSELF, at=report.at)
            session.add(row)
        row.done, row.done_at = report.done, report.at
        row.outcome = report.outcome
        row.height_um, row.time_point = report.height_um, report.time_point
        if report.target is not None:
            _aim(row, report.target)


def _aim(row: JournalRow, target: Target | None) -> None:
    if target is None:
        return
    row.plate, row.well, row.site = target.plate, target.well, target.site
    row.of_time_point, row.channel = target.time_point, target.channel
