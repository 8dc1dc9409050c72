"""What people want to be tried again: quarantined frames, and files that were refused.

Whatever is asked for is marked as judged under nothing (`AGAIN`), so that the ledger has it open
like what was judged under other settings. A row of `retries` beside it names who asked, until there
is an outcome. Any process may write both: the daemon looks every few seconds.
"""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from scopewatch.core.tickets import RetryRequest
from scopewatch.store.read.judging import AGAIN
from scopewatch.store.read.quarantine_queries import refused_within
from scopewatch.store.read.records.quarantine import RetryAnswer, RetrySelection
from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.tables import FrameRow, RefusalRow, RetryRow, Run, Well
from scopewatch.store.schema.value_lists import each_number
from scopewatch.store.write.ledger import ticket_of

_KEY = re.compile(
    r"(?P<run>.+)/(?P<plate>[^/]+)/(?P<well>[^/]+)/s(?P<site>\d+)/t(?P<time_point>\d+)/(?P<channel>.+)"
)
_Row = tuple[int, str, str, str]


def ask_again(
    session: Session,
    wanted: RetrySelection,
    sources: Collection[str],
    asked_by: str,
    now: datetime,
) -> RetryAnswer:
    """Have what is selected tried again, as far as it can be.

    Parameters
    ----------
    sources
        Those that are configured: of others nothing can be read.
    """
    frames = _read(session, _frames(wanted))
    refusals = _read(session, _refusals(session, wanted))
    found = [*frames, *refusals]
    unwatched = {source for _, source, _, _ in found if source not in sources}
    waiting = sum(under == AGAIN for _, source, _, under in found if source in sources)
    for table, rows in ((FrameRow, frames), (RefusalRow, refusals)):
        _mark(session, table, [row for row in rows if _is_new(row, sources)])
    new = {(source, locator) for _, source, locator, under in found if under != AGAIN}
    asked = sorted(each for each in new if each[0] in sources)
    if asked:
        _replace(session, asked, asked_by, now)
    return RetryAnswer(
        asked=len(asked),
        waiting=waiting,
        unwatched=tuple(sorted(unwatched)),
        missed=session.scalar(_missed(wanted)) or 0,
    )


def _replace(session: Session, asked: Sequence[tuple[str, str]], by: str, now: datetime) -> None:
    """Write down requests; one that is there already gets the next number, and who asked last."""
    table = RetryRow.__table__
    session.connection().execute(
        delete(RetryRow).where(
            table.c.source == bindparam("of_source"), table.c.locator == bindparam("of_locator")
        ),
        [{"of_source": source, "of_locator": locator} for source, locator in asked],
    )
    session.execute(
        insert(RetryRow),
        [
            {"source": source, "locator": locator, "asked_by": by, "asked_at": now}
            for source, locator in asked
        ],
    )


_ANY = select(select(RetryRow.id).exists())


def has_retry_requests(session: Session) -> bool:
    """Return whether anything was asked for: a question of one row, for who looks all the time."""
    return bool(session.scalar(_ANY))


def retry_requests(session: Session, source: str, after: int, at_most: int) -> list[RetryRequest]:
    """Return what of a source was asked for and has no outcome yet, by number."""
    rows = session.execute(
        select(RetryRow, FrameRow, RefusalRow)
        .outerjoin(FrameRow, _marked(FrameRow))
        .outerjoin(RefusalRow, _marked(RefusalRow))
        .where(RetryRow.source == source, RetryRow.id > after)
        .order_by(RetryRow.id)
        .limit(at_most)
    )
    found: dict[int, RetryRequest] = {}
    for retry, frame, refusal in rows:
        known: FrameRow | RefusalRow | None = frame or refusal
        if known is None:
            continue  # it has its outcome
        found[retry.id] = RetryRequest(
            number=retry.id,
            source=source,
            locator=retry.locator,
            fingerprint=known.fingerprint,
            seen_at=known.seen_at,
            asked_by=retry.asked_by,
            ticket=None if frame is None else ticket_of(frame),
        )
    return list(found.values())


def with_outcome(session: Session) -> list[int]:
    """Return the numbers of what was asked for and has its outcome."""
    open_ones = or_(
        exists().where(_marked(FrameRow)),
        exists().where(_marked(RefusalRow)),
    )
    return list(session.scalars(select(RetryRow.id).where(~open_ones)))


def close_retry_requests(session: Session) -> int:
    """Forget what has its outcome; return how many."""
    over = with_outcome(session)
    if over:
        session.execute(delete(RetryRow).where(RetryRow.id.in_(each_number(over))))
    return len(over)


def asked_by(session: Session, source: str, locator: str) -> str:
    """Return who wants something tried again; '' where nobody does."""
    found = session.scalar(
        select(RetryRow.asked_by).where(RetryRow.source == source, RetryRow.locator == locator)
    )
    return found or ""


def _read(session: Session, query: Select[int, str, str, str]) -> list[_Row]:
    rows = session.execute(query)
    return [(number, source, locator, under) for number, source, locator, under in rows]


def _is_new(row: _Row, sources: Collection[str]) -> bool:
    _, source, _, under = row
    return under != AGAIN and source in sources


def _mark(session: Session, table: type[FrameRow | RefusalRow], rows: Collection[_Row]) -> None:
    if rows:
        numbers = each_number([number for number, *_ in rows])
        session.execute(update(table).where(table.id.in_(numbers)).values(judged_under=AGAIN))


def _marked(table: type[FrameRow | RefusalRow]) -> ColumnElement[bool]:
    return (
        (table.source == RetryRow.source)
        & (table.locator == RetryRow.locator)
        & (table.judged_under == AGAIN)
    )


def _frames(wanted: RetrySelection) -> Select[int, str, str, str]:
    query = (
        select(FrameRow.id, FrameRow.source, FrameRow.locator, FrameRow.judged_under)
        .where(FrameRow.state == FrameState.QUARANTINED, *_named(wanted, FrameRow))
        .join(Well, Well.id == FrameRow.well_id)
        .join(Run, Run.id == Well.run_id)
    )
    return query.where(*_of_well(wanted))


def _missed(wanted: RetrySelection) -> Select[int]:
    query = (
        select(func.count())
        .select_from(FrameRow)
        .join(Well, Well.id == FrameRow.well_id)
        .join(Run, Run.id == Well.run_id)
    )
    missed = FrameRow.state == FrameState.MISSED
    return query.where(missed, *_named(wanted, FrameRow), *_of_well(wanted))


def _refusals(session: Session, wanted: RetrySelection) -> Select[int, str, str, str]:
    query = select(
        RefusalRow.id, RefusalRow.source, RefusalRow.locator, RefusalRow.judged_under
    ).where(*_named(wanted, RefusalRow))
    if wanted.well is not None or wanted.plate is not None:
        return query.where(RefusalRow.id.is_(None))  # what is no frame is of no well
    if wanted.run is not None and wanted.what is None:
        query = query.where(*refused_within(session, wanted.run))
    return query


def _named(wanted: RetrySelection, table: type[FrameRow | RefusalRow]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.source is not None:
        conditions.append(table.source == wanted.source)
    if wanted.fault is not None:
        conditions.append(table.fault == wanted.fault)
    if wanted.what is not None:
        conditions.append(_is_named(wanted.what, table))
    return conditions


def _is_named(what: str, table: type[FrameRow | RefusalRow]) -> ColumnElement[bool]:
    """Return the condition for a file or folder with all that lies in it, or a frame's key."""
    named: ColumnElement[bool] = or_(
        table.locator == what,
        *(
            table.locator.startswith(f"{what}{within}", autoescape=True)
            for within in ("#page=", "#at=", "#{", "/")
        ),
    )
    key = _KEY.fullmatch(what)
    if key is None or table is not FrameRow:
        return named
    parts: list[Any] = [
        Run.name == key["run"],
        Well.plate == key["plate"],
        Well.name == key["well"],
        FrameRow.site == int(key["site"]),
        FrameRow.time_point == int(key["time_point"]),
        FrameRow.channel == key["channel"],
    ]
    return named | and_(*parts)


def _of_well(wanted: RetrySelection) -> list[ColumnElement[bool]]:
    asked = ((Run.name, wanted.run), (Well.plate, wanted.plate), (Well.name, wanted.well))
    return [column == value for column, value in asked if value is not None]
