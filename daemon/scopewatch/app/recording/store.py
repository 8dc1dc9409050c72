"""The store as the daemon uses it: each method records something, in one transaction or a few.

The decisions are those of `app.record_frame`; here transactions begin and end.
"""

from collections.abc import Collection, Sequence

from scopewatch.app.recording.alert_store import AlertStore
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.fluorescence import FluorescenceReading
from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult
from scopewatch.core.source import KnownFolder
from scopewatch.core.tickets import FrameTicket, Mark, Refusal
from scopewatch.event_log import get_logger
from scopewatch.messages.message import Message
from scopewatch.messages.settled import Settled
from scopewatch.store.read.known_files import names_changed, settled
from scopewatch.store.read.liveness import known_folder
from scopewatch.store.schema.columns import SETTLED
from scopewatch.store.write.days import day_without_run, warn_if_early
from scopewatch.store.write.ledger import same_file
from scopewatch.store.write.liveness import record_folder
from scopewatch.store.write.measuring import phase_shape
from scopewatch.store.write.proposing import is_complete

log = get_logger(__name__)


class Store(AlertStore):
    """Implements `runtime.pipeline.recording.ResultStore`, and the outbox; thread-safe."""

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
