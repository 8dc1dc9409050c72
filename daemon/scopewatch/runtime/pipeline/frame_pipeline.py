"""The one path of a frame. The words are the names of its steps, also in the metrics.

    claim -> load -> analyse -> draw -> commit                         scored
      |       |         '-- cannot be judged --------> quarantine      quarantined
      |       |-- fluorescence: shape -> analyse ----> measure         measured
      |       '-- cannot be read --------------------> quarantine      quarantined
      '-- settled already ------> retime, where its time is known now  known, or retimed

    another channel than the scored one -------------> skip            not scored
    no frame at all ---------------------------------> refuse          refused, or missed

Once a frame is settled, the pipeline removes the pictures of it that no result names: those of an
attempt that was killed before its commit, and those of a result that was replaced.

The pipeline knows no thread; `StepRunner` repeats its steps.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from scopewatch.core.errors import FrameError, StoreError
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.fluorescence import FluorescenceReading
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult
from scopewatch.core.source import FrameSource
from scopewatch.core.tickets import FrameTicket, Refusal
from scopewatch.event_log import get_logger
from scopewatch.messages.settled import Settled
from scopewatch.runtime.pipeline.frame_job import Claim, FrameJob, place_of
from scopewatch.runtime.pipeline.inbox import Item
from scopewatch.runtime.pipeline.outcome import FrameOutcome, FrameReport
from scopewatch.runtime.pipeline.recording import Overlays, ResultStore
from scopewatch.runtime.pipeline.step_runner import StepRunner

log = get_logger(__name__)


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


class FramePipeline:
    """Takes each item through its steps until it is settled.

    Parameters
    ----------
    analyse
        Judges a frame. It holds the interpreter, so that only one thread may call `process`.
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
        phase_channel: str,
        marker: Marker | None = None,
    ) -> None:
        self._sources = sources
        self._analyse = analyse
        self._store = store
        self._overlays = overlays
        self._phase_channel = phase_channel
        self._marker = marker

    def claim(self, job: FrameJob, steps: StepRunner) -> FrameJob:
        """Ask the ledger for the frame of a job, where that has not been done and is needed.

        Raises
        ------
        StoreError
            When the store stayed away.
        """
        item = job.item
        if isinstance(item, Refusal) or job.claim is not Claim.NOT_ASKED:
            return job
        if item.key.channel != self._phase_channel and self._marker_of(item) is None:
            return job
        held = steps.run("claim", lambda: self._store.claim(item))
        return replace(job, claim=Claim.HELD if held else Claim.SETTLED)

    def process(self, job: FrameJob, steps: StepRunner) -> FrameReport:
        """Take an item through all its steps.

        Raises
        ------
        StoreError, SourceError
            When the store or the source stayed away.
        """
        job = self.claim(job, steps)
        item = job.item
        if isinstance(item, Refusal):
            return self._refuse(item, steps)
        if job.claim is Claim.NOT_ASKED:
            return self._skip(item, steps)
        if job.claim is Claim.SETTLED:
            return self._leave_settled(item, steps)
        try:
            frame = steps.run("load", lambda: self._sources[item.source].load(item))
        except FrameError as error:
            return self.quarantine(item, steps, Fault.UNREADABLE, str(error))
        marker = self._marker_of(item)
        if marker is not None:
            return self._measure(item, steps, frame, marker)
        return self._judge(item, steps, frame)

    def second_try(self) -> FrameTicket | None:
        """Return a frame that was given up and is due once more, claimed already.

        Raises
        ------
        StoreError
            When the store is away.
        """
        return self._store.second_try(tuple(self._sources))

    def quarantine(
        self, ticket: FrameTicket, steps: StepRunner, fault: str, reason: str
    ) -> FrameReport:
        """Record that a frame cannot be judged, and why."""
        settled = steps.run("quarantine", lambda: self._store.quarantine(ticket, fault, reason))
        log.warning("frame quarantined", **place_of(ticket), fault=str(fault), reason=reason)
        self._remove_unnamed(ticket)
        _log_alerts(settled)
        return sum_up(ticket, steps, FrameOutcome.QUARANTINED, reason=reason, settled=settled)

    def _marker_of(self, ticket: FrameTicket) -> Marker | None:
        marker = self._marker
        return marker if marker is not None and ticket.key.channel == marker.channel else None

    def _leave_settled(self, ticket: FrameTicket, steps: StepRunner) -> FrameReport:
        """End with a frame that is settled; a source may offer it since its time is known now."""
        # Perhaps given up just now, after the last attempt had drawn it.
        self._remove_unnamed(ticket)
        moved = ticket.moment.known and steps.run("retime", lambda: self._store.retime(ticket))
        return sum_up(ticket, steps, FrameOutcome.RETIMED if moved else FrameOutcome.KNOWN)

    def _judge(self, ticket: FrameTicket, steps: StepRunner, frame: Frame) -> FrameReport:
        result = steps.run("analyse", lambda: self._analyse(frame))
        if result.verdict.fault is not None:
            reason = "; ".join(filter(None, (result.verdict.reason, frame.note)))
            return self.quarantine(ticket, steps, result.verdict.fault, reason)
        return self._commit(ticket, steps, frame, result)

    def _commit(
        self, ticket: FrameTicket, steps: StepRunner, frame: Frame, result: FrameResult
    ) -> FrameReport:
        files = steps.run("draw", lambda: self._overlays.write(ticket, frame, result))
        settled = steps.run("commit", lambda: self._store.commit(ticket, frame, result, files))
        # A commit that finds the frame settled otherwise has named none of the pictures.
        self._remove_unnamed(ticket, files if settled.quarantined is None else None)
        _log_alerts(settled)
        report = sum_up(ticket, steps, FrameOutcome.SCORED, settled=settled)
        efficiency = result.efficiency
        log.info(
            "frame scored",
            key=str(ticket.key),
            day=_rounded(settled.day),
            efficiency=round(efficiency.value, 4) if efficiency else None,
            low=round(efficiency.low, 4) if efficiency else None,
            high=round(efficiency.high, 4) if efficiency else None,
            took_ms=round(1e3 * sum(report.steps_s.values())),
            **({"note": frame.note} if frame.note else {}),
        )
        return report

    def _remove_unnamed(self, ticket: FrameTicket, named: OverlayFiles | None = None) -> None:
        """Remove the pictures of a settled frame that no result names."""
        try:
            self._overlays.discard(ticket.key, named)
        except StoreError as error:
            # The frame is settled, which is what counts; the next start tries again.
            log.warning("picture without a result stays", **place_of(ticket), why=str(error))

    def _measure(
        self, ticket: FrameTicket, steps: StepRunner, frame: Frame, marker: Marker
    ) -> FrameReport:
        shape = steps.run("shape", lambda: self._store.phase_shape(ticket.key))
        try:
            reading = steps.run("analyse", lambda: marker.read(frame, shape))
        except FrameError as error:
            return self.quarantine(ticket, steps, Fault.UNREADABLE, str(error))
        settled = steps.run("measure", lambda: self._store.measure(ticket, frame, reading))
        log.info("fluorescence measured", key=str(ticket.key), day=_rounded(settled.day))
        return sum_up(ticket, steps, FrameOutcome.MEASURED, settled=settled)

    def _refuse(self, refusal: Refusal, steps: StepRunner) -> FrameReport:
        steps.run("refuse", lambda: self._store.refuse(refusal))
        if refusal.missed is not None:
            event = {"key": str(refusal.missed), "reason": refusal.reason}
            log.warning("frame was missed", **event)
            return sum_up(refusal, steps, FrameOutcome.MISSED, reason=refusal.reason)
        log.warning("file refused", **place_of(refusal), reason=refusal.reason)
        return sum_up(refusal, steps, FrameOutcome.REFUSED, reason=refusal.reason)

    def _skip(self, ticket: FrameTicket, steps: StepRunner) -> FrameReport:
        reason = f"not scored: channel {ticket.key.channel}"
        steps.run("skip", lambda: self._store.skip(ticket, reason))
        log.debug("frame not scored", **place_of(ticket), reason=reason)
        return sum_up(ticket, steps, FrameOutcome.SKIPPED, reason=reason)


def sum_up(
    item: Item,
    steps: StepRunner,
    outcome: FrameOutcome,
    *,
    reason: str = "",
    settled: Settled | None = None,
) -> FrameReport:
    """Return what became of an item, with the seconds of its steps until now."""
    return FrameReport(
        outcome=outcome,
        key=item.key if isinstance(item, FrameTicket) else None,
        latency_s=max(0.0, (steps.clock.now() - item.seen_at).total_seconds()),
        steps_s=dict(steps.took_s),
        reason=reason,
        alerts=settled.alerts if settled else (),
    )


def _rounded(day: float | None) -> float | None:
    return None if day is None else round(day, 2)


def _log_alerts(settled: Settled) -> None:
    for message in settled.alerts:
        log.warning("alert changed", severity=message.severity.value, title=message.title)
