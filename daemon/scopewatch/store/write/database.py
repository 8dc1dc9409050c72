"""The result database, as the worker uses it; what the others do with it is in `alert_store`.

Each public method is one transaction, or a few short ones. Writers take turns within the process
by a lock and between processes by SQLite's own, so that none fails for the sake of another.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from scopewatch.core.alerts.state_machine import AlertRule
from scopewatch.core.clock import Clock
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.fluorescence import FluorescenceReading
from scopewatch.core.imaging.frame import Frame, FrameKey, FrameTicket, Mark, Refusal
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult
from scopewatch.event_log import get_logger
from scopewatch.messages.alert_message import Message
from scopewatch.messages.settled import Settled
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.store.read.judging import Judging
from scopewatch.store.read.known_files import names_changed, settled
from scopewatch.store.schema.columns import SETTLED
from scopewatch.store.schema.engine import open_reader, open_writer, transaction
from scopewatch.store.schema.tables import FrameRow
from scopewatch.store.write.alert_store import AlertStore
from scopewatch.store.write.budget import Budget
from scopewatch.store.write.claims import Claims
from scopewatch.store.write.frame_recorder import Settling
from scopewatch.store.write.ledger import (
    find_frame,
    held_frame,
    number_acquisition,
    record_gap,
    same_file,
)
from scopewatch.store.write.measuring import Measuring, phase_shape
from scopewatch.store.write.refusals import record_refusal
from scopewatch.store.write.retiming import retime
from scopewatch.store.write.rules.announcing import Composer

log = get_logger(__name__)

_UNTOLD = Judging()


class Store(AlertStore):
    """Implements `runtime.pipeline.recording.ResultStore` and `notify.outbox.Outbox`; thread-safe.

    Parameters
    ----------
    policy
        Days, sites per well, the scored channel, whether all of it is simulated, and what the
        model's card says of wells.
    composer
        Puts changes of alerts into words.
    max_attempts
        Claims of a frame after which it is quarantined instead of tried again.
    rules
        Those of wells and plates are stepped; others are passed over.
    measuring
        How fluorescence of the final day is measured; None where it is not.
    judging
        What is judged under now: what was refused under anything else is tried again.
    """

    def __init__(
        self,
        writer: Engine,
        reader: Engine,
        *,
        policy: RunPolicy,
        composer: Composer,
        clock: Clock,
        max_attempts: int,
        rules: Sequence[AlertRule] = (),
        measuring: Measuring | None = None,
        judging: Judging = _UNTOLD,
    ) -> None:
        settling = Settling(
            policy=policy,
            rules=tuple(rule for rule in rules if not rule.kind.of_the_monitor),
            composer=composer,
            measuring=measuring,
            judging=judging,
            budget=partial(Budget, clock.monotonic),
        )
        super().__init__(writer, reader, settling=settling, clock=clock)
        self._claims = Claims(policy=policy, judging=judging, max_attempts=max_attempts)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        policy: RunPolicy,
        composer: Composer,
        clock: Clock,
        max_attempts: int = 2,
        rules: Sequence[AlertRule] = (),
        measuring: Measuring | None = None,
        judging: Judging = _UNTOLD,
    ) -> Self:
        """Open `folder`/scopewatch.db; make and migrate it where needed. Raises StoreError."""
        return cls(
            open_writer(folder),
            open_reader(folder),
            policy=policy,
            composer=composer,
            clock=clock,
            max_attempts=max_attempts,
            rules=rules,
            measuring=measuring,
            judging=judging,
        )

    def settled(self, source: str, found: Sequence[Mark]) -> set[str]:
        """Of what a source found, return the locators that need no more work."""
        settling = self._settling
        with transaction(self._reader) as session:
            return settled(session, source, found, settling.judging, settling.policy.channels)

    def names_changed(self, source: str) -> bool:
        """Tell whether results of a source were named by other settings than there are now."""
        with transaction(self._reader) as session:
            return names_changed(session, source, self._settling.judging)

    def acquisition(self, source: str, label: str, identity: str) -> int:
        """Return the number, from 1, of an acquisition among those at the same place."""
        with self._writing() as session:
            return number_acquisition(session, source, label, identity, self._clock.now())

    def claim(self, ticket: FrameTicket) -> bool:
        """Count an attempt at a frame; False when there is nothing left to do for it."""
        now = self._clock.now()
        with self._writing() as session:
            row = self._take(session, ticket, now)
            if row is None:
                return False
            if row.attempts <= self._claims.max_attempts:
                return True
            # The attempt that begins here is not made.
            tried = row.attempts - 1
            reason = f"failed {tried} times: it took the daemon down, or never ended"
            self._settling.quarantine(session, row, Fault.FAILED, reason, now)
        log.error("frame given up", key=str(ticket.key), locator=ticket.locator, reason=reason)
        return False

    def second_try(self, sources: Collection[str]) -> FrameTicket | None:
        """Begin one more attempt at a frame of one of `sources` that was given up, if one is due.

        Returns
        -------
        The frame, claimed already.
        """
        with self._writing() as session:
            return self._claims.second_try(session, sources, self._clock.now())

    def day_of(self, ticket: FrameTicket, frame: Frame) -> float:
        """Day of the differentiation run (fractional) on which a claimed frame was taken."""
        with transaction(self._reader) as session:
            row = find_frame(session, ticket.key)
            seen_at = ticket.seen_at if row is None else row.seen_at
            return self._settling.day_of(session, ticket, frame, seen_at, warn=True)

    def retime(self, ticket: FrameTicket) -> bool:
        """Take up when a settled frame was taken, where the ticket says it better than was known.

        Returns
        -------
        Whether anything changed.
        """
        with self._writing() as session:
            row = find_frame(session, ticket.key)
            if row is None or not same_file(row, ticket):
                return False
            day = retime(session, row, ticket.moment, self._settling, self._clock.now())
        if day is None:
            return False
        self._review(ticket.key.experiment, day)
        return True

    def commit(
        self,
        ticket: FrameTicket,
        frame: Frame,
        result: FrameResult,
        files: OverlayFiles,
    ) -> Settled:
        """Record a judged frame, step its well's rules, fill the outbox: one transaction.

        The frame must have been claimed by this ticket. Committing it again changes nothing.
        """
        if not ticket.key == frame.key == result.key:
            raise ValueError(f"{frame.key} and {result.key} do not belong to {ticket.key}")
        now = self._clock.now()
        with self._writing() as session:
            row = held_frame(session, ticket)
            day = self._settling.day_of(session, ticket, frame, row.seen_at)
            messages: tuple[Message, ...] = ()
            if row.state not in SETTLED:
                messages = self._settling.score(
                    session, row, ticket, frame, result, files, day, now
                )
            reason = row.reason
        # Also where it was settled before: the proposal may be what the disk had no room for.
        self._review(ticket.key.experiment, day)
        return Settled(key=ticket.key, day=day, quarantined=reason, alerts=messages)

    def phase_shape(self, key: FrameKey) -> tuple[int, int] | None:
        """Return (H, W) of a site's newest phase frame as it was scored, for its fluorescence."""
        with transaction(self._reader) as session:
            return phase_shape(session, key.experiment, key.plate, key.well, key.site)

    def measure(self, ticket: FrameTicket, frame: Frame, reading: FluorescenceReading) -> Settled:
        """Record a fluorescence frame and measure its run anew, as far as it is known.

        The frame must have been claimed by this ticket. Doing it again changes nothing.
        """
        now = self._clock.now()
        with self._writing() as session:
            row = held_frame(session, ticket)
            day = self._settling.day_of(session, ticket, frame, row.seen_at)
            if row.state not in SETTLED:
                self._settling.measure(session, row, ticket, frame, reading, day, now)
            reason = row.reason
        self._review(ticket.key.experiment, day)
        return Settled(key=ticket.key, day=day, quarantined=reason, alerts=())

    def quarantine(self, ticket: FrameTicket, fault: str, reason: str) -> Settled:
        """Record that a frame cannot be judged, and why; an earlier result of it is removed."""
        now = self._clock.now()
        with self._writing() as session:
            if find_frame(session, ticket.key) is None:
                self._take(session, ticket, now)
            row = held_frame(session, ticket)
            if row.state in SETTLED:
                return Settled(key=ticket.key, quarantined=row.reason, alerts=())
            messages = self._settling.quarantine(session, row, fault, reason, now)
        return Settled(key=ticket.key, quarantined=reason, alerts=messages)

    def skip(self, ticket: FrameTicket, reason: str) -> None:
        """Record that a frame is not to be scored, so that it is not offered again."""
        now = self._clock.now()
        with self._writing() as session:
            row = self._take(session, ticket, now)
            if row is not None:
                self._settling.skip(row, reason, now)

    def refuse(self, refusal: Refusal) -> None:
        """Record something that cannot become a frame, or a frame that was missed, and why."""
        now = self._clock.now()
        with self._writing() as session:
            if refusal.missed is not None:
                record_gap(session, refusal, refusal.missed, self._settling.policy, now)
            else:
                under = self._settling.judging.under(refusal.source)
                record_refusal(session, refusal, under, now)

    def _take(self, session: Session, ticket: FrameTicket, now: datetime) -> FrameRow | None:
        """Begin an attempt at a frame; what its file stood under before is forgotten."""
        attempt = self._claims.take(session, ticket, now)
        if attempt.left:
            self._settling.forget(session, attempt.left, now)
        return attempt.row

    def _review(self, run: str, day: float) -> None:
        """Set a run against its card once it ends."""
        measuring = self._settling.measuring
        if measuring is not None and measuring.final(day):
            with transaction(self._reader) as session:
                self._settling.review(session, run, self._clock.now())
