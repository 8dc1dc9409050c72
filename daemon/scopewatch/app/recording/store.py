"""The store as the daemon uses it: each method records something, in one transaction or a few.

The decisions are those of `app.record_frame`; here transactions begin and end.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Self, Unpack

from sqlalchemy import Engine

from scopewatch.app.record_frame import FrameRecorder
from scopewatch.app.recording.settings import StoreSettings
from scopewatch.app.recording.time_passing import (
    due_plates,
    let_time_pass,
    step_monitor,
    still_due,
)
from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.alerts.state_machine import Observation
from scopewatch.core.clock import Clock
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.fluorescence import FluorescenceReading
from scopewatch.core.imaging.frame import Frame, FrameKey, FrameTicket, Mark, Refusal
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult
from scopewatch.core.source import KnownFolder
from scopewatch.event_log import get_logger
from scopewatch.messages.alert_message import Message, OutboxItem
from scopewatch.messages.settled import Settled
from scopewatch.messages.stored_message import pack_message, unpack_message
from scopewatch.monitoring.budget import Budget
from scopewatch.store.database import Database
from scopewatch.store.read.known_files import names_changed, settled
from scopewatch.store.read.liveness import known_folder
from scopewatch.store.schema.columns import SETTLED
from scopewatch.store.schema.engine import open_reader, open_writer
from scopewatch.store.schema.place import Place
from scopewatch.store.write.days import day_without_run, warn_if_early
from scopewatch.store.write.ledger import same_file
from scopewatch.store.write.liveness import record_folder
from scopewatch.store.write.measuring import phase_shape
from scopewatch.store.write.proposing import is_complete

log = get_logger(__name__)


class Store(Database):
    """Implements `runtime.pipeline.recording.ResultStore` and `notify.outbox.Outbox`; thread-safe.

    Parameters
    ----------
    settings
        See `StoreSettings`.
    """

    def __init__(
        self, writer: Engine, reader: Engine, *, clock: Clock, **settings: Unpack[StoreSettings]
    ) -> None:
        super().__init__(writer, reader, clock=clock)
        rules = tuple(rule for rule in settings.get("rules", ()) if not rule.kind.of_the_monitor)
        own: StoreSettings = {**settings, "rules": rules}
        self._recorder = FrameRecorder(**own, budget=partial(Budget, clock.monotonic))
        self._behind = False

    @classmethod
    def open(
        cls, place: Place, *, alone: bool = False, clock: Clock, **settings: Unpack[StoreSettings]
    ) -> Self:
        """Open the results of a place; make and migrate them where needed.

        Parameters
        ----------
        alone
            True for the daemon, which on a server holds its name until the store is closed.

        Raises
        ------
        StoreError
            Where the place cannot be used, or another daemon of that name is at work.
        """
        writer = open_writer(place, alone=alone)
        try:
            reader = open_reader(place)
        except BaseException:
            writer.dispose()
            raise
        return cls(writer, reader, clock=clock, **settings)

    def settled(self, source: str, found: Sequence[Mark]) -> set[str]:
        """Of what a source found, return the locators that need no more work."""
        recorder = self._recorder
        with self.read_unit() as work:
            judging, channels = recorder.judging, recorder.policy.channels
            return settled(work.session, source, found, judging, channels)

    def names_changed(self, source: str) -> bool:
        """Return whether results of a source were named by other settings than there are now."""
        with self.read_unit() as work:
            return names_changed(work.session, source, self._recorder.judging)

    def known_folder(self, source: str, path: str) -> KnownFolder | None:
        """Return the folder of a source as it was recorded in this run, if it gave frames."""
        with self.read_unit() as work:
            return known_folder(work.session, source, self._recorder.policy.run, path)

    def record_folder(self, source: str, path: str, folder: KnownFolder) -> None:
        """Record that the folder of a source is there."""
        now, run = self._clock.now(), self._recorder.policy.run
        with self.write_unit() as work:
            record_folder(work.session, source, run, path, folder, now)

    def claim(self, ticket: FrameTicket) -> bool:
        """Count an attempt at a frame; False when there is nothing left to do for it."""
        now = self._clock.now()
        with self.write_unit() as work:
            row = self._recorder.claim(work, ticket, now)
            if row is None:
                return False
            if row.attempts <= self._recorder.max_attempts:
                return True
            # The attempt that begins here is not made.
            tried = row.attempts - 1
            reason = f"failed {tried} times: it took the daemon down, or never ended"
            self._recorder.quarantine(work, row, Fault.FAILED, reason, now)
        log.error("frame given up", key=str(ticket.key), locator=ticket.locator, reason=reason)
        return False

    def second_try(self, sources: Collection[str]) -> FrameTicket | None:
        """Begin one more attempt at a frame of one of `sources` that was given up, if one is due.

        Returns
        -------
        The frame, claimed already.
        """
        with self.write_unit() as work:
            claims = self._recorder.claims
            return work.frames.second_try(claims, sources, self._clock.now())

    def day_of(self, ticket: FrameTicket, frame: Frame) -> float:
        """Day of the differentiation run (fractional) on which a claimed frame was taken."""
        moment, policy = frame.moment.over(ticket.moment), self._recorder.policy
        day = day_without_run(ticket.key, moment, policy, ticket.seen_at)
        if day is None:
            with self.read_unit() as work:
                day = work.frames.day_of(ticket, moment, policy)
        warn_if_early(ticket.key, moment, day)
        return day

    def retime(self, ticket: FrameTicket) -> bool:
        """Take up when a settled frame was taken, where the ticket holds more than was known.

        Returns
        -------
        Whether anything changed.
        """
        with self.write_unit() as work:
            row = work.frames.find(ticket.key)
            if row is None or not same_file(row, ticket):
                return False
            day = self._recorder.redate(work, row, ticket.moment, self._clock.now())
        if day is None:
            return False
        self._review(ticket.key.run, day)
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
        now, moment = self._clock.now(), frame.moment.over(ticket.moment)
        with self.write_unit() as work:
            row = work.frames.held(ticket)
            day = work.frames.day_of(ticket, moment, self._recorder.policy, row)
            messages: tuple[Message, ...] = ()
            if row.state not in SETTLED:
                messages = self._recorder.score(work, row, ticket, frame, result, files, day, now)
            reason = row.reason
        # Also where it was settled before: the proposal may be what the disk had no room for.
        self._review(ticket.key.run, day, ticket.key.time_point)
        return Settled(key=ticket.key, day=day, quarantined=reason, alerts=messages)

    def phase_shape(self, key: FrameKey) -> tuple[int, int] | None:
        """Return (H, W) of a site's newest phase frame as it was scored, for its fluorescence."""
        with self.read_unit() as work:
            return phase_shape(work.session, key.run, key.plate, key.well, key.site)

    def measure(self, ticket: FrameTicket, frame: Frame, reading: FluorescenceReading) -> Settled:
        """Record a fluorescence frame and measure its run again, as far as it is known.

        The frame must have been claimed by this ticket. Doing it again changes nothing.
        """
        now, moment = self._clock.now(), frame.moment.over(ticket.moment)
        with self.write_unit() as work:
            row = work.frames.held(ticket)
            day = work.frames.day_of(ticket, moment, self._recorder.policy, row)
            warn_if_early(ticket.key, moment, day)
            if row.state not in SETTLED:
                self._recorder.measure(work, row, ticket, frame, reading, day, now)
            reason = row.reason
        self._review(ticket.key.run, day)
        return Settled(key=ticket.key, day=day, quarantined=reason, alerts=())

    def quarantine(self, ticket: FrameTicket, fault: str, reason: str) -> Settled:
        """Record that a frame cannot be judged, and why; an earlier result of it is removed."""
        now = self._clock.now()
        with self.write_unit() as work:
            if work.frames.find(ticket.key) is None:
                self._recorder.claim(work, ticket, now)
            row = work.frames.held(ticket)
            if row.state in SETTLED:
                return Settled(key=ticket.key, quarantined=row.reason, alerts=())
            messages = self._recorder.quarantine(work, row, fault, reason, now)
        return Settled(key=ticket.key, quarantined=reason, alerts=messages)

    def skip(self, ticket: FrameTicket, reason: str) -> None:
        """Record that a frame is not to be scored, so that it is not offered again."""
        now = self._clock.now()
        with self.write_unit() as work:
            row = self._recorder.claim(work, ticket, now)
            if row is not None:
                self._recorder.skip(work, row, reason, now)

    def refuse(self, refusal: Refusal) -> None:
        """Record something that cannot become a frame, or a frame that was missed, and why."""
        now = self._clock.now()
        with self.write_unit() as work:
            if refusal.missed is not None:
                work.frames.miss(refusal, refusal.missed, self._recorder.policy, now)
            else:
                under = self._recorder.judging.under(refusal.source)
                work.frames.refuse(refusal, under, now)

    def _review(self, run: str, day: float, time_point: int | None = None) -> None:
        """Set a run against its card once it ends.

        Parameters
        ----------
        time_point
            Of a judged frame: once for all wells, since all of the run is read.
        """
        measuring = self._recorder.measuring
        if measuring is None or not measuring.final(day):
            return
        with self.read_unit() as work:
            if time_point is None or is_complete(work.session, run, time_point):
                self._recorder.review(work, run, self._clock.now())

    def let_time_pass(self, clock_right_for: timedelta | None = None) -> tuple[Message, ...]:
        """Announce what the clock alone changes of wells and plates; return the messages.

        Time points that could be stepped by now are stepped before, for as long as one transaction
        may take: see `behind`. What the clock alone changes takes a few short transactions.

        Parameters
        ----------
        clock_right_for
            Since when the clock was not set; None where it never was.
        """
        now, alerting = self._clock.now(), self._recorder.alerting
        patient = clock_right_for is not None and clock_right_for < alerting.patience
        with self.read_unit() as work:
            plates = due_plates(work, alerting, now, patient=patient)
            due = bool(plates or work.plates.outlooks_due())
        messages: tuple[Message, ...] = ()
        self._behind = False
        # Nobody is to wait for a transaction that changes nothing.
        if due:
            with self.write_unit() as work:
                # A frame may have come while this waited for its turn: that plate is not quiet.
                now = self._clock.now()
                plates = still_due(work, plates, alerting, now)
                stepped = self._recorder.catch_up(work, plates, now)
            messages, self._behind = stepped.messages, stepped.more
        return messages if self._behind else (*messages, *self._tick(now))

    @property
    def behind(self) -> bool:
        """Whether `let_time_pass` has left something to do for its next call."""
        return self._behind

    def watch(self, observed: Sequence[tuple[AlertRule, Observation]]) -> tuple[Message, ...]:
        """Step rules of the monitor itself over what was seen; return the messages."""
        now, recorder = self._clock.now(), self._recorder
        with self.write_unit() as work:
            return step_monitor(work, recorder.policy.run, observed, recorder.composer, now)

    def announce(self, message: Message, channels: Iterable[str]) -> int:
        """Queue a message that belongs to no alert, once per channel, whatever comes of it.

        Returns
        -------
        To how many channels it goes now; those that ever had it are left out.
        """
        now, key = self._clock.now(), message.idempotency_key
        content = pack_message(message)
        with self.write_unit() as work:
            return sum(
                work.outbox.queue_once(channel, key, content, now=now) for channel in channels
            )

    def due(
        self, now: datetime, limit: int, *, longest: timedelta | None = None
    ) -> list[OutboxItem]:
        """Return the messages to try now, oldest first and in order within each channel.

        Parameters
        ----------
        longest
            No message is put off for longer: one that is was put off before the clock was set back,
            and is due.
        """
        with self.read_unit() as work:
            queued = work.outbox.due(now, limit, longest)
        return [
            OutboxItem(
                row=each.row,
                channel=each.channel,
                message=unpack_message(each.content, each.key),
                attempts=each.attempts,
            )
            for each in queued
        ]

    def _tick(self, now: datetime) -> list[Message]:
        """Let time pass for the plates of which the clock may change something."""
        alerting = self._recorder.alerting
        messages: list[Message] = []
        with self.read_unit() as work:
            plates = work.plates.open(alerting.names, now - alerting.settles_within)
        while plates:
            with self.write_unit() as work:
                budget = self._recorder.budget()
                while plates:
                    messages += let_time_pass(work, *plates.pop(0), alerting, now)
                    if budget.spent:
                        break
        return messages
