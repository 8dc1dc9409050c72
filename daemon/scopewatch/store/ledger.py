"""What became of every frame: claims, and who may have which key.

A claim is written before the work begins, so that a frame that takes the process down with it
is counted even then, and given up after a few attempts.
"""

import logging
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from scopewatch.config import ExperimentConfig
from scopewatch.core.errors import StoreError, complaint
from scopewatch.core.frame import FrameKey, FrameTicket, Refusal
from scopewatch.store.columns import SETTLED, FrameState
from scopewatch.store.tables import AcquisitionRow, FrameRow, RefusalRow, Run, Well

log = logging.getLogger(__name__)

REFUSED = "refused"
DUPLICATE = "duplicate"
REPLACED = "replaced"
GAP = "gap"


def find_frame(session: Session, key: FrameKey) -> FrameRow | None:
    """Return the row of a key, whatever file it came from."""
    return session.scalar(
        select(FrameRow)
        .join(Well)
        .join(Run)
        .where(
            Run.name == key.experiment,
            Well.plate == key.plate,
            Well.name == key.well,
            FrameRow.channel == key.channel,
            FrameRow.time_point == key.time_point,
            FrameRow.site == key.site,
        )
    )


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


def take_frame(
    session: Session, ticket: FrameTicket, experiment: ExperimentConfig, now: datetime
) -> FrameRow | None:
    """Begin an attempt at a frame: its row, claimed, or None when there is nothing to do.

    A key belongs to one file. The same key from a second file is refused while the first is
    done; it takes over where the first could not be judged. A file whose content changed starts
    over.
    """
    if _is_refused(session, ticket):
        return None
    row = find_frame(session, ticket.key)
    if row is None:
        row = FrameRow(
            well_id=_well(session, ticket.key, ticket.seen_at, experiment).id,
            site=ticket.key.site,
            time_point=ticket.key.time_point,
            channel=ticket.key.channel,
            seen_at=ticket.seen_at,
        )
        session.add(row)
        _start(row, ticket, now)
    elif row.state is FrameState.MISSED:
        log.info("frame came after all", extra={"event": {"key": str(ticket.key)}})
        row.seen_at = ticket.seen_at
        _start(row, ticket, now)
    elif (row.source, row.locator) != (ticket.source, ticket.locator):
        if row.state in (FrameState.DONE, FrameState.MEASURED):
            _refuse_duplicate(session, ticket, row, now)
            return None
        _take_over(session, ticket, row, now)
    elif row.fingerprint != ticket.fingerprint:
        log.warning(
            "frame changed since it was seen, scored anew",
            extra={"event": {"key": str(ticket.key), "locator": ticket.locator, "was": row.state}},
        )
        _start(row, ticket, now)
    elif row.state in SETTLED:
        return None
    else:
        _start(row, ticket, now, attempts=row.attempts + 1)
    # A file that was refused once (half written, say) is no refusal any more.
    session.execute(
        delete(RefusalRow).where(
            RefusalRow.source == ticket.source, RefusalRow.locator == ticket.locator
        )
    )
    session.flush()
    return row


def record_refusal(
    session: Session, refusal: Refusal, now: datetime, *, fault: str = REFUSED
) -> None:
    """Record something that is no frame; a second refusal of it replaces the first."""
    row = session.scalar(
        select(RefusalRow).where(
            RefusalRow.source == refusal.source, RefusalRow.locator == refusal.locator
        )
    )
    if row is None:
        row = RefusalRow(source=refusal.source, locator=refusal.locator)
        session.add(row)
    elif (row.fingerprint, row.reason) == (refusal.fingerprint, refusal.reason):
        return
    row.fault = fault
    row.fingerprint = refusal.fingerprint
    row.reason = refusal.reason
    row.seen_at = refusal.seen_at
    row.recorded_at = now


def record_gap(
    session: Session, refusal: Refusal, key: FrameKey, experiment: ExperimentConfig, now: datetime
) -> None:
    """Record a frame that was due and never came, unless it is known or came after all.

    It is never claimed, and no rule steps on it: there is nothing that could be judged.
    """
    if find_frame(session, key) is not None:
        return
    row = FrameRow(
        well_id=_well(session, key, refusal.seen_at, experiment).id,
        site=key.site,
        time_point=key.time_point,
        channel=key.channel,
        source=refusal.source,
        locator=refusal.locator,
        fingerprint=refusal.fingerprint,
        state=FrameState.MISSED,
        attempts=0,
        fault=GAP,
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


def find_run(session: Session, name: str) -> Run | None:
    """Return the row of a run."""
    return session.scalar(select(Run).where(Run.name == name))


def _well(session: Session, key: FrameKey, seen_at: datetime, experiment: ExperimentConfig) -> Well:
    run = find_run(session, key.experiment)
    if run is None:
        run = Run(
            name=key.experiment,
            started_at=experiment.started_at,
            first_seen_at=seen_at,
            simulated=experiment.simulated,
        )
        session.add(run)
        session.flush()
    well = session.scalar(
        select(Well).where(Well.run_id == run.id, Well.plate == key.plate, Well.name == key.well)
    )
    if well is None:
        well = Well(run_id=run.id, plate=key.plate, name=key.well)
        session.add(well)
        session.flush()
    return well


def _start(row: FrameRow, ticket: FrameTicket, now: datetime, *, attempts: int = 1) -> None:
    row.source = ticket.source
    row.locator = ticket.locator
    row.fingerprint = ticket.fingerprint
    row.state = FrameState.CLAIMED
    row.attempts = attempts
    row.fault = None
    row.reason = None
    row.claimed_at = now
    row.settled_at = None


def _take_over(session: Session, ticket: FrameTicket, row: FrameRow, now: datetime) -> None:
    log.warning(
        "frame is taken from another file",
        extra={
            "event": {"key": str(ticket.key), "from": row.locator, "to": ticket.locator},
        },
    )
    if row.state is FrameState.CLAIMED:
        # It never ended: two files that both take the process down must not take turns for ever.
        _start(row, ticket, now, attempts=row.attempts + 1)
        return
    given_up = Refusal(
        source=row.source,
        locator=row.locator,
        fingerprint=row.fingerprint,
        reason=f"replaced by {ticket.locator}: {row.reason}",
        seen_at=row.seen_at,
    )
    record_refusal(session, given_up, now, fault=REPLACED)
    _start(row, ticket, now)


def _refuse_duplicate(session: Session, ticket: FrameTicket, row: FrameRow, now: datetime) -> None:
    refusal = Refusal(
        source=ticket.source,
        locator=ticket.locator,
        fingerprint=ticket.fingerprint,
        reason=f"duplicate of {row.locator}: both are {ticket.key}",
        seen_at=ticket.seen_at,
    )
    record_refusal(session, refusal, now, fault=DUPLICATE)
    log.warning(
        "frame refused as a duplicate",
        extra={"event": {"key": str(ticket.key), "locator": ticket.locator, "first": row.locator}},
    )


def _is_refused(session: Session, ticket: FrameTicket) -> bool:
    return bool(
        session.scalar(
            select(RefusalRow.id).where(
                RefusalRow.source == ticket.source,
                RefusalRow.locator == ticket.locator,
                RefusalRow.fingerprint == ticket.fingerprint,
            )
        )
    )


def same_file(row: FrameRow, ticket: FrameTicket) -> bool:
    """Tell whether a frame is that of a ticket: the same file, unchanged."""
    return (row.source, row.locator, row.fingerprint) == (
        ticket.source,
        ticket.locator,
        ticket.fingerprint,
    )
