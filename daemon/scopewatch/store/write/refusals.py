"""Things that never became a frame, and why."""

from datetime import datetime
from functools import cache

from sqlalchemy import Select, bindparam, delete, select
from sqlalchemy.orm import Session

from scopewatch.core.faults import Fault
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.tickets import FrameTicket, Refusal
from scopewatch.event_log import get_logger
from scopewatch.store.schema.tables import FrameRow, RefusalRow
from scopewatch.store.schema.value_lists import each_text

log = get_logger(__name__)


def find_refusal(session: Session, source: str, locator: str) -> RefusalRow | None:
    """Return why a thing is no frame; None where it was never refused."""
    return session.scalar(_refusal(), {"source": source, "locator": locator})


@cache
def _refusal() -> Select[RefusalRow]:
    return select(RefusalRow).where(
        RefusalRow.source == bindparam("source"), RefusalRow.locator == bindparam("locator")
    )


def drop_refusals_of_planes(session: Session, ticket: FrameTicket) -> None:
    """Forget why the planes of a stack were no frames each: they are one together."""
    others = [plane.locator for plane in ticket.planes if plane.locator != ticket.locator]
    if others:
        session.execute(
            delete(RefusalRow).where(
                RefusalRow.source == ticket.source, RefusalRow.locator.in_(each_text(others))
            )
        )


def record_refusal(
    session: Session,
    refusal: Refusal,
    judged_under: str,
    now: datetime,
    *,
    fault: Fault = Fault.REFUSED,
) -> None:
    """Record something that is no frame; a second refusal of it replaces the first."""
    row = find_refusal(session, refusal.source, refusal.locator)
    if row is None:
        row = RefusalRow(
            source=refusal.source, locator=refusal.locator, seen_at=refusal.seen_at, reason=""
        )
        session.add(row)
    row.judged_under = judged_under
    if (row.fingerprint, row.reason) == (refusal.fingerprint, refusal.reason):
        return
    row.fault = fault
    row.fingerprint = refusal.fingerprint
    row.reason = refusal.reason
    row.recorded_at = now


def refuse_duplicate(
    session: Session, ticket: FrameTicket, first: FrameRow, judged_under: str, now: datetime
) -> None:
    """Record a file whose key belongs to another one, which is done."""
    refusal = Refusal(
        source=ticket.source,
        locator=ticket.locator,
        fingerprint=ticket.fingerprint,
        reason=f"duplicate of {first.locator}: both are {ticket.key}",
        seen_at=ticket.seen_at,
    )
    record_refusal(session, refusal, judged_under, now, fault=Fault.DUPLICATE)
    log.warning(
        "frame refused as a duplicate",
        key=str(ticket.key),
        locator=ticket.locator,
        first=first.locator,
    )


def refuse_contradiction(
    session: Session, ticket: FrameTicket, scored_as: FrameKey, judged_under: str, now: datetime
) -> None:
    """Record that a file is read under another key than it was scored under; its result stays."""
    refusal = Refusal(
        source=ticket.source,
        locator=ticket.locator,
        fingerprint=ticket.fingerprint,
        reason=f"scored as {scored_as}, and now read as {ticket.key}: to have it scored so, give"
        " the experiment and the source other names",
        seen_at=ticket.seen_at,
    )
    record_refusal(session, refusal, judged_under, now, fault=Fault.CONTRADICTION)
    log.error(
        "frame was scored under another name",
        scored_as=str(scored_as),
        key=str(ticket.key),
        locator=ticket.locator,
    )


def refuse_replaced(
    session: Session, ticket: FrameTicket, given_up: FrameRow, now: datetime
) -> None:
    """Record the file that lost its key to another one, as it was judged."""
    refusal = Refusal(
        source=given_up.source,
        locator=given_up.locator,
        fingerprint=given_up.fingerprint,
        reason=f"replaced by {ticket.locator}: {given_up.reason}",
        seen_at=given_up.seen_at,
    )
    record_refusal(session, refusal, given_up.judged_under, now, fault=Fault.REPLACED)
