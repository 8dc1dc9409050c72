"""Claims: attempts at frames as they begin, and who may have which key.

A claim is written before the work begins, so that a frame that takes the process down with it
is counted even then, and given up after a few attempts.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from scopewatch.core.faults import Fault
from scopewatch.core.tickets import FrameTicket
from scopewatch.core.z_stack import stack_size
from scopewatch.event_log import get_logger
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.store.read.judging import AGAIN, Judging
from scopewatch.store.read.ledger import find_frame, key_of
from scopewatch.store.read.second_tries import find_second_try
from scopewatch.store.schema.columns import SETTLED, WITH_RESULT, FrameState
from scopewatch.store.schema.tables import FrameRow, RefusalRow
from scopewatch.store.write.former_keys import (
    Left,
    contradicts,
    drop_unjudged,
    keep_in_former_run,
    rows_of_file,
)
from scopewatch.store.write.ledger import (
    of_file,
    same_content,
    ticket_of,
    well_of,
)
from scopewatch.store.write.refusals import (
    drop_refusals_of_planes,
    find_refusal,
    refuse_contradiction,
    refuse_duplicate,
    refuse_replaced,
)
from scopewatch.store.write.retries import asked_by
from scopewatch.store.write.rules.rule_states import forget_pasts

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt at a frame that begins.

    Parameters
    ----------
    row
        The frame, claimed; None when there is nothing to do.
    left
        What its file stood under before, and no longer does.
    """

    row: FrameRow | None
    left: tuple[Left, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What claims need to know besides the ticket.

    Parameters
    ----------
    policy
        What a new run is made with.
    judging
        What is judged under now.
    max_attempts
        Claims of a frame after which it is quarantined instead of tried again.
    """

    policy: RunPolicy
    judging: Judging
    max_attempts: int

    def take(self, session: Session, ticket: FrameTicket, now: datetime) -> Attempt:
        """Begin an attempt at a frame.

        A key belongs to one file. The same key from a second file is refused while the first is
        done; it takes over where the first could not be judged. A file whose content changed
        starts over, and so does one that was quarantined or skipped under other settings or
        another model. A file that was read under another key before leaves nothing there, save a
        result, which is contradicted. The planes of a stack are one file; see `_keep_result`.
        """
        refusal = find_refusal(session, ticket.source, ticket.locator)
        under = self.judging.under(ticket.source)
        if refusal is not None and self._refuses(refusal, ticket):
            return Attempt(row=None)
        row = find_frame(session, ticket.key)
        left: tuple[Left, ...] = ()
        drop_refusals_of_planes(session, ticket)
        seen_at = [ticket.seen_at, *(() if refusal is None else (refusal.seen_at,))]
        if row is None or not of_file(row, ticket):
            others = rows_of_file(session, ticket)
            if any(keep_in_former_run(other, ticket, under) for other in others):
                if refusal is not None:
                    session.delete(refusal)
                return Attempt(row=None)
            scored = next((each for each in others if contradicts(each, ticket)), None)
            if scored is not None:
                refuse_contradiction(session, ticket, key_of(scored), under, now)
                return Attempt(row=None)
            seen_at += [each.seen_at for each in others if same_content(each, ticket)]
            left = drop_unjudged(session, ticket, others)
        if row is None:
            row = FrameRow(
                well_id=well_of(session, ticket.key, ticket.seen_at, self.policy).id,
                site=ticket.key.site,
                time_point=ticket.key.time_point,
                channel=ticket.key.channel,
                seen_at=min(seen_at),
                judged_under=under,
            )
            session.add(row)
            _start(session, row, ticket, now)
        elif row.state is FrameState.MISSED:
            log.info("frame came after all", key=str(ticket.key))
            row.seen_at = ticket.seen_at
            row.judged_under = under
            _start(session, row, ticket, now)
        elif not of_file(row, ticket):
            if row.state in WITH_RESULT:
                refuse_duplicate(session, ticket, row, under, now)
                return Attempt(row=None, left=left)
            _take_over(session, ticket, row, now)
        elif not same_content(row, ticket) and not _keep_result(row, ticket):
            log.warning(
                "frame changed since it was seen, scored again", **_named(ticket), was=row.state
            )
            _start(session, row, ticket, now)
            row.retried = False
        elif not self._try_again(session, row, ticket, now):
            row = None
        # A file that was refused once (half written, for example) is no refusal any more.
        if refusal is not None:
            _drop_refusal(session, ticket, refusal)
        session.flush()
        return Attempt(row=row, left=left)

    def second_try(
        self, session: Session, sources: Collection[str], now: datetime
    ) -> FrameTicket | None:
        """Begin one more attempt at a frame that was given up; None while none is due.

        Whatever ended the process while the frame was worked on need not have been the frame: once
        enough others were settled after it, it is tried once more, and never again.
        """
        row = find_second_try(session, sources)
        if row is None:
            return None
        ticket = ticket_of(row)
        log.info("frame that was given up is tried once more", **_named(ticket))
        _start(session, row, ticket, now, attempts=self.max_attempts + 1)
        row.retried = True
        return ticket

    def _refuses(self, refusal: RefusalRow, ticket: FrameTicket) -> bool:
        """Return whether a refusal holds: of the same file, read by the same settings."""
        return refusal.fingerprint == ticket.fingerprint and self.judging.reads_alike(
            ticket.source, refusal.judged_under
        )

    def _try_again(
        self, session: Session, row: FrameRow, ticket: FrameTicket, now: datetime
    ) -> bool:
        """Begin another attempt at a frame of the same content; False where it is settled."""
        judging, source = self.judging, ticket.source
        if not same_content(row, ticket):
            return False  # a result that stays, of a stack of which planes are gone
        if row.fingerprint != ticket.fingerprint:
            log.info("file was rewritten with the same pixels", **_named(ticket))
            row.fingerprint = ticket.fingerprint
        row.content = ticket.content or row.content
        if row.state in WITH_RESULT:
            row.judged_under = judging.named_again(source, row.judged_under)
            return False
        if row.state is FrameState.QUARANTINED:
            if judging.judges_alike(source, row.judged_under):
                return False
            if row.judged_under == AGAIN:
                _tell_asked(session, ticket, row.fault)
            else:
                log.info(
                    "frame is tried again: settings or model changed",
                    **_named(ticket),
                    fault=row.fault,
                )
            # Once more for one that may have taken the daemon down, and not as often as a new one.
            attempts = self.max_attempts if row.fault == Fault.FAILED else 1
            _start(session, row, ticket, now, attempts=attempts)
        elif row.state is FrameState.SKIPPED:
            _start(session, row, ticket, now)
        else:
            _start(session, row, ticket, now, attempts=row.attempts + 1)
        return True


def _keep_result(row: FrameRow, ticket: FrameTicket) -> bool:
    """Keep the result of a stack that is given otherwise now; return whether there is one.

    A plane that was judged alone before its source took the sharpest keeps its result, as any does
    when settings change; so does a stack of which planes are gone, or only one plane counts now.
    """
    before, now = stack_size(row.fingerprint), stack_size(ticket.fingerprint)
    if row.state not in WITH_RESULT:
        return False
    if before and now:
        return now < before
    alone = any(plane.fingerprint == row.fingerprint for plane in ticket.planes)
    if not (alone or before):
        return False
    row.locator, row.fingerprint = ticket.locator, ticket.fingerprint
    row.content = ticket.content
    return True


def _drop_refusal(session: Session, ticket: FrameTicket, refusal: RefusalRow) -> None:
    """Forget why a file was no frame, since it is one now."""
    if refusal.judged_under == AGAIN:
        _tell_asked(session, ticket, refusal.fault)
    session.delete(refusal)


def _tell_asked(session: Session, ticket: FrameTicket, fault: str | None) -> None:
    by = asked_by(session, ticket.source, ticket.locator)
    log.info(
        "frame is tried again: somebody asked for it", **_named(ticket), fault=fault, asked_by=by
    )


def _start(
    session: Session, row: FrameRow, ticket: FrameTicket, now: datetime, *, attempts: int = 1
) -> None:
    if row.state in SETTLED:
        forget_pasts(session, row.well, row.time_point)
    row.source = ticket.source
    row.locator = ticket.locator
    row.fingerprint = ticket.fingerprint
    row.content = ticket.content
    row.state = FrameState.CLAIMED
    row.attempts = attempts
    row.fault = None
    row.reason = None
    row.claimed_at = now
    row.settled_at = None


def _take_over(session: Session, ticket: FrameTicket, row: FrameRow, now: datetime) -> None:
    log.warning(
        "frame is taken from another file",
        key=str(ticket.key),
        **{"from": row.locator},
        to=ticket.locator,
    )
    if row.state is FrameState.CLAIMED:
        # It never ended: two files that both take the process down must not take turns for ever.
        _start(session, row, ticket, now, attempts=row.attempts + 1)
        return
    refuse_replaced(session, ticket, row, now)
    _start(session, row, ticket, now)


def _named(ticket: FrameTicket) -> dict[str, str]:
    return {"key": str(ticket.key), "locator": ticket.locator}
