"""The one path of a frame: claim, load, analyse, draw, commit.

    claim -> load -> analyse -> draw -> commit               scored
      |       '-- fluorescence --> read ---------> commit    measured
      |        |        '-- cannot be judged --------------> quarantined
      |        '----------- cannot be read ----------------> quarantined
      |-- settled already ---------------------------------> known, or retimed
      '-- another channel than the scored one -------------> not scored

Once a frame is settled, pictures of it that no result names go: those of an attempt that was
killed before its commit, and those of a result that is no more.

It knows no thread, and repeats nothing: that is the worker's.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from scopewatch.core.alerts.state_machine import AlertRule
from scopewatch.core.errors import FrameError, StoreError
from scopewatch.core.imaging.fluorescence import FluorescenceReading
from scopewatch.core.imaging.frame import Frame, FrameTicket, Refusal
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult
from scopewatch.core.source import FrameSource
from scopewatch.messages.settled import Settled
from scopewatch.runtime.pipeline.frame_job import Hand
from scopewatch.runtime.pipeline.outcome import Ending, Outcome
from scopewatch.runtime.pipeline.recording import Overlays, ResultStore

log = logging.getLogger(__name__)

# Faults beside those of `core.imaging.result.Fault`; stored as well: never rename one.
UNREADABLE = "unreadable"
FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """The fluorescence of the final day.

    Parameters
    ----------
    read
        Reads a frame, given (H, W) of its phase frame where that is known. Raises FrameError.
    """

    channel: str
    read: Callable[[Frame, tuple[int, int] | None], FluorescenceReading]


class FramePath:
    """Carries items to their end.

    Parameters
    ----------
    analyse
        Judges a frame. It holds the interpreter, so that one thread alone may walk the path.
    rules
        What is called weak.
    phase_channel
        The only channel that is scored.
    marker
        The channel that measures the wells on the final day, and what reads its frames; None
        where there is none.
    """

    def __init__(
        self,
        *,
        sources: Mapping[str, FrameSource],
        analyse: Callable[[Frame], FrameResult],
        store: ResultStore,
        overlays: Overlays,
        rules: Sequence[AlertRule],
        phase_channel: str,
        marker: Marker | None = None,
    ) -> None:
        self._sources = sources
        self._analyse = analyse
        self._store = store
        self._overlays = overlays
        self._rules = rules
        self._phase_channel = phase_channel
        self._marker = marker

    def walk(self, hand: Hand) -> Outcome:
        """Carry the item in hand to its end.

        Raises
        ------
        StoreError, SourceError
            When the store or the source stayed away.
        """
        item = hand.item
        if isinstance(item, Refusal):
            return self._refuse(hand, item)
        marker = self._marker
        if marker is not None and item.key.channel != marker.channel:
            marker = None
        if marker is None and item.key.channel != self._phase_channel:
            return self._skip(hand, item)
        if not hand.claimed:
            hand.claimed = hand.step("claim", lambda: self._store.claim(item, self._rules))
            if not hand.claimed:
                return self._know(hand, item)
        try:
            frame = hand.step("load", lambda: self._sources[item.source].load(item))
        except FrameError as error:
            return self.quarantine(hand, item, UNREADABLE, str(error))
        if marker is not None:
            return self._measure(hand, item, frame, marker)
        return self._judge(hand, item, frame)

    def second_try(self) -> FrameTicket | None:
        """Return a frame that was given up and is due once more, claimed already.

        Raises
        ------
        StoreError
            When the store is away.
        """
        return self._store.second_try(tuple(self._sources))

    def _know(self, hand: Hand, item: FrameTicket) -> Outcome:
        """End with a frame that is settled; it may be offered since its moment is known now."""
        # Perhaps given up just now, after the last attempt had drawn it.
        self._tidy(hand, item)
        moved = item.moment.known and hand.step("commit", lambda: self._store.retime(item))
        return hand.end(Ending.RETIMED if moved else Ending.KNOWN)

    def _judge(self, hand: Hand, item: FrameTicket, frame: Frame) -> Outcome:
        result = hand.step("analyse", lambda: self._analyse(frame))
        if result.verdict.fault is not None:
            reason = "; ".join(filter(None, (result.verdict.reason, frame.note)))
            return self.quarantine(hand, item, result.verdict.fault, reason)
        return self._commit(hand, item, frame, result)

    def quarantine(self, hand: Hand, ticket: FrameTicket, fault: str, reason: str) -> Outcome:
        """Record that a frame cannot be judged, and why."""
        settled = hand.step(
            "commit", lambda: self._store.quarantine(ticket, fault, reason, self._rules)
        )
        log.warning(
            "frame quarantined",
            extra={"event": {**hand.place(), "fault": str(fault), "reason": reason}},
        )
        self._tidy(hand, ticket)
        _tell_alerts(settled)
        return hand.end(Ending.QUARANTINED, reason=reason, settled=settled)

    def _commit(
        self, hand: Hand, ticket: FrameTicket, frame: Frame, result: FrameResult
    ) -> Outcome:
        day = hand.step("commit", lambda: self._store.day_of(ticket, frame))
        files = hand.step("draw", lambda: self._overlays.write(frame, result, day))
        settled = hand.step(
            "commit", lambda: self._store.commit(ticket, frame, result, files, day, self._rules)
        )
        # A commit that finds the frame settled otherwise has named none of them.
        self._tidy(hand, ticket, files if settled.quarantined is None else None)
        _tell_alerts(settled)
        outcome = hand.end(Ending.SCORED, settled=settled)
        seen = result.efficiency
        log.info(
            "frame scored",
            extra={
                "event": {
                    "key": str(ticket.key),
                    "day": round(day, 2),
                    "efficiency": round(seen.value, 4) if seen else None,
                    "low": round(seen.low, 4) if seen else None,
                    "high": round(seen.high, 4) if seen else None,
                    "took_ms": round(1e3 * sum(outcome.steps_s.values())),
                    **({"note": frame.note} if frame.note else {}),
                }
            },
        )
        return outcome

    def _tidy(self, hand: Hand, ticket: FrameTicket, named: OverlayFiles | None = None) -> None:
        try:
            self._overlays.discard(ticket.key, named)
        except StoreError as error:
            # It is settled, which is what counts; the next start tries again.
            log.warning(
                "picture without a result stays",
                extra={"event": {**hand.place(), "why": str(error)}},
            )

    def _measure(self, hand: Hand, ticket: FrameTicket, frame: Frame, marker: Marker) -> Outcome:
        shape = hand.step("claim", lambda: self._store.phase_shape(ticket.key))
        try:
            reading = hand.step("analyse", lambda: marker.read(frame, shape))
        except FrameError as error:
            return self.quarantine(hand, ticket, UNREADABLE, str(error))
        day = hand.step("commit", lambda: self._store.day_of(ticket, frame))
        settled = hand.step("commit", lambda: self._store.measure(ticket, frame, reading, day))
        log.info(
            "fluorescence measured",
            extra={"event": {"key": str(ticket.key), "day": round(day, 2)}},
        )
        return hand.end(Ending.MEASURED, settled=settled)

    def _refuse(self, hand: Hand, refusal: Refusal) -> Outcome:
        hand.step("commit", lambda: self._store.refuse(refusal))
        if refusal.missed is not None:
            event = {"key": str(refusal.missed), "reason": refusal.reason}
            log.warning("frame was missed", extra={"event": event})
            return hand.end(Ending.MISSED, reason=refusal.reason)
        log.warning("file refused", extra={"event": {**hand.place(), "reason": refusal.reason}})
        return hand.end(Ending.REFUSED, reason=refusal.reason)

    def _skip(self, hand: Hand, ticket: FrameTicket) -> Outcome:
        reason = f"not scored: channel {ticket.key.channel}"
        hand.step("commit", lambda: self._store.skip(ticket, reason, self._rules))
        log.debug("frame not scored", extra={"event": {**hand.place(), "reason": reason}})
        return hand.end(Ending.NOT_SCORED, reason=reason)


def _tell_alerts(settled: Settled) -> None:
    for message in settled.alerts:
        log.warning(
            "alert changed",
            extra={"event": {"severity": message.severity.value, "title": message.title}},
        )
