"""What a file stood under before, by other keys than that it is read under now."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from scopewatch.core.tickets import FrameTicket
from scopewatch.event_log import get_logger
from scopewatch.store.read.ledger import key_of
from scopewatch.store.schema.columns import WITH_RESULT, FrameState
from scopewatch.store.schema.tables import FrameRow
from scopewatch.store.write.estimates import drop_result
from scopewatch.store.write.ledger import same_content
from scopewatch.store.write.measuring import drop_reading

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A well's time point that lost a row, since its file is read under another key now."""

    well_id: int
    time_point: int
    channel: str


def rows_of_file(session: Session, ticket: FrameTicket) -> list[FrameRow]:
    """Return the frames of the ledger that are of a ticket's file, by whatever key."""
    asked = {"source": ticket.source, "locator": ticket.locator}
    rows = session.scalars(_of_file(), asked)
    return [row for row in rows if row.state is not FrameState.MISSED]


def keep_in_former_run(other: FrameRow, ticket: FrameTicket, under: str) -> bool:
    """Leave a file to the run that went on when it came; return whether that is another one."""
    if other.well.run.name == ticket.key.run or not same_content(other, ticket):
        return False
    if other.state is FrameState.CLAIMED:
        return False
    other.fingerprint, other.judged_under = ticket.fingerprint, under
    return True


def contradicts(other: FrameRow, ticket: FrameTicket) -> bool:
    """Return whether a file has a result under another key than it is read under now."""
    return other.state in WITH_RESULT and same_content(other, ticket)


def drop_unjudged(
    session: Session, ticket: FrameTicket, others: Sequence[FrameRow]
) -> tuple[Left, ...]:
    """Remove what a file stood under by other keys and was not judged; return where."""
    left = []
    for other in others:
        of_this_run = other.well.run.name == ticket.key.run
        if other.state in WITH_RESULT or not (of_this_run or other.state is FrameState.CLAIMED):
            continue
        log.warning(
            "file is read under another name now",
            key=str(ticket.key),
            locator=ticket.locator,
            was=str(key_of(other)),
            state=other.state,
        )
        left.append(Left(well_id=other.well_id, time_point=other.time_point, channel=other.channel))
        drop_result(session, other)
        drop_reading(session, other)
        session.delete(other)
    if left:
        session.flush()
    return tuple(left)


@cache
def _of_file() -> Select[*tuple[Any, ...]]:
    return select(FrameRow).where(
        FrameRow.source == bindparam("source"), FrameRow.locator == bindparam("locator")
    )
