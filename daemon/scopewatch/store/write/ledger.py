"""What became of every frame: its row by its key, runs and wells, acquisitions."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from scopewatch.core.errors import StoreError, complaint
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.tickets import FrameTicket, Refusal
from scopewatch.event_log import get_logger
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.store.read.ledger import find_frame, find_run, find_well, key_of
from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.tables import AcquisitionRow, FrameRow, Run, Well

log = get_logger(__name__)


def held_frame(session: Session, ticket: FrameTicket) -> FrameRow:
    """Return the row of a frame that was claimed by this very ticket.

    Raises
    ------
    StoreError
        When it was not claimed, or another file has claimed the key since.
    """
    row = find_frame(session, ticket.key)
    if row is None or not same_file(row, ticket):
        raise StoreError(
            complaint(
                "frame is not claimed by this file",
                where=ticket.key,
                expected=ticket.locator,
                got="no claim" if row is None else row.locator,
                do="claim it first; it will be offered again",
            )
        )
    return row


def record_gap(
    session: Session, refusal: Refusal, key: FrameKey, policy: RunPolicy, now: datetime
) -> None:
    """Record a frame that was due and never came, unless it is known or came after all.

    It is never claimed, and no rule steps on it: there is nothing that could be judged.
    """
    if find_frame(session, key) is not None:
        return
    row = FrameRow(
        well_id=well_of(session, key, refusal.seen_at, policy).id,
        site=key.site,
        time_point=key.time_point,
        channel=key.channel,
        source=refusal.source,
        locator=refusal.locator,
        fingerprint=refusal.fingerprint,
        state=FrameState.MISSED,
        attempts=0,
        fault=Fault.GAP,
        reason=refusal.reason,
        seen_at=refusal.seen_at,
        claimed_at=now,
    )
    session.add(row)


def number_acquisition(
    session: Session, source: str, label: str, identity: str, now: datetime
) -> int:
    """Return the number, from 1, of an acquisition at a place; a new one gets the next."""
    known = session.scalars(
        select(AcquisitionRow).where(AcquisitionRow.source == source, AcquisitionRow.label == label)
    ).all()
    for row in known:
        if row.identity == identity:
            return row.number
    number = 1 + max((row.number for row in known), default=0)
    session.add(
        AcquisitionRow(
            source=source, label=label, identity=identity, number=number, first_seen_at=now
        )
    )
    return number


def well_of(session: Session, key: FrameKey, seen_at: datetime, policy: RunPolicy) -> Well:
    """Return the well of a key, and make it and its run where they are new."""
    well = find_well(session, key)
    if well is not None:
        return well
    run = find_run(session, key.run)
    if run is None:
        run = Run(
            name=key.run,
            started_at=policy.started_at,
            first_seen_at=seen_at,
            simulated=policy.simulated,
        )
        session.add(run)
        session.flush()
    well = Well(run_id=run.id, plate=key.plate, name=key.well)
    session.add(well)
    session.flush()
    return well


def ticket_of(row: FrameRow) -> FrameTicket:
    """Return the ticket that a frame of the ledger is offered with once more."""
    return FrameTicket(
        key=key_of(row),
        source=row.source,
        locator=row.locator,
        fingerprint=row.fingerprint,
        seen_at=row.seen_at,
        content=row.content,
    )


def same_file(row: FrameRow, ticket: FrameTicket) -> bool:
    """Return whether a frame is that of a ticket: the same file, unchanged."""
    return of_file(row, ticket) and row.fingerprint == ticket.fingerprint


def same_content(row: FrameRow, ticket: FrameTicket) -> bool:
    """Return whether a frame's pixels are those of a ticket, whenever the file was written."""
    if row.fingerprint == ticket.fingerprint:
        return True
    return bool(ticket.content) and row.content == ticket.content


def of_file(row: FrameRow, ticket: FrameTicket) -> bool:
    """Return whether a frame came from the file of a ticket, or a plane of its stack."""
    places = {ticket.locator, *(plane.locator for plane in ticket.planes)}
    return row.source == ticket.source and row.locator in places
