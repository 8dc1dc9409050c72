"""The thread that processes frames, one after another.

A step that fails because the disk, the database or the share is away is repeated with growing
delays; after a while the frame goes behind the others, and it is never lost. A frame that fails
for reasons of its own is quarantined after `max_attempts`, so that it cannot hold up the rest.

Between two frames the worker waits while a microscope saves a burst of images (`bursts`).
"""

import threading
from collections.abc import Callable, Sequence
from functools import partial

from scopewatch.core.clock import Clock
from scopewatch.core.errors import ScopewatchError, StoreError, complaint
from scopewatch.core.faults import Fault
from scopewatch.core.tickets import FrameTicket
from scopewatch.event_log import get_logger
from scopewatch.runtime.pipeline.frame_job import Claim, FrameJob, place_of
from scopewatch.runtime.pipeline.frame_pipeline import FramePipeline, sum_up
from scopewatch.runtime.pipeline.inbox import BoundedInbox, Item
from scopewatch.runtime.pipeline.outcome import FrameOutcome, FrameReport, Observer
from scopewatch.runtime.pipeline.step_runner import AWAY, StepPolicy, StepRunner
from scopewatch.runtime.pipeline.troubles import Troubles
from scopewatch.runtime.supervision.heartbeats import Heartbeats

log = get_logger(__name__)

STAGE = "worker"
IDLE_S = 1.0
SETTLING = (FrameOutcome.SCORED, FrameOutcome.MEASURED, FrameOutcome.QUARANTINED)


class Worker:
    """Works in a thread of its own, the only one that calls the pipeline and so uses the model.

    Parameters
    ----------
    max_attempts
        Failures of its own after which a frame is quarantined.
    patience_s
        How long a step is repeated for one frame before the next has its turn.
    hold_s
        How long to wait before asking again whether a frame may be taken up; 0 when one may.
    pause
        Waits for so many seconds, True at once when the worker is to stop; None waits for real.
    """

    def __init__(
        self,
        *,
        inbox: BoundedInbox,
        pipeline: FramePipeline,
        clock: Clock,
        heartbeats: Heartbeats,
        observer: Observer,
        max_attempts: int,
        patience_s: float = 30.0,
        hold_s: Callable[[], float] = float,
        pause: Callable[[float], bool] | None = None,
    ) -> None:
        self._inbox = inbox
        self._pipeline = pipeline
        self._clock = clock
        self._heartbeats = heartbeats
        self._observer = observer
        self._max_attempts = max_attempts
        self._patience_s = patience_s
        self._hold_s = hold_s
        self._stopping = threading.Event()
        self._wait = pause or self._stopping.wait
        self._troubles = Troubles()
        # Whether a frame that was given up may be due since the store was asked last.
        self._may_be_due = True
        self.trouble = ""
        self._thread: threading.Thread | None = None

    def troubles(self) -> Sequence[str]:
        """Return why no frame gets through at the moment; any thread may ask."""
        return (self.trouble,) if self.trouble else ()

    def running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the thread."""
        self._heartbeats.beat(STAGE)
        # A daemon thread: one that hangs in native code must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=STAGE, daemon=True)
        self._thread.start()

    def stop(self, within_s: float) -> bool:
        """Finish the current frame and end; False when that took longer than `within_s`."""
        self._stopping.set()
        self._inbox.close()
        if self._thread is not None:
            self._thread.join(within_s)
        self._heartbeats.leave(STAGE)
        return not self.running()

    def work(self) -> FrameReport | None:
        """Process the next item; None when none came within a second, or the worker is to wait."""
        self._heartbeats.beat(STAGE)
        item = self._take()
        if item is None:
            return None
        job, steps = self._job_of(item), self._steps_of(item)
        try:
            # The claim apart: where a later step fails, the attempt stays counted.
            job = self._pipeline.claim(job, steps)
            report = self._pipeline.process(job, steps)
        except AWAY as error:
            report = self._try_later(job, steps, error, blame=False)
        except Exception as error:
            log.exception("frame failed unexpectedly", **place_of(item))
            report = self._try_later(job, steps, error, blame=True)
        if report.outcome is not FrameOutcome.PUT_BACK:
            # Only a scored frame has used the database, the share and the overlay folder.
            self.trouble = ""
            if report.outcome is FrameOutcome.SCORED:
                self._troubles.note_scored(item)
            self._may_be_due |= report.outcome in SETTLING
            self._troubles.settle(item)
            self._inbox.done(item)
        self._observer.ended(report)
        return report

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.work()
            except Exception:
                log.exception("worker failed", stage=STAGE)
                self._pause(IDLE_S)

    def _take(self) -> Item | None:
        hold_s = self._hold_s()
        if hold_s > 0:
            self._wait(hold_s)
            return None
        if not self._inbox.wait(IDLE_S):
            return self._second_try()
        # A source reports a burst before it offers the images, so ask again after waiting for them.
        return None if self._hold_s() > 0 else self._inbox.take(0)

    def _second_try(self) -> FrameTicket | None:
        """Take up a frame that was given up, if one is due: alone, while no other waits."""
        if self._stopping.is_set() or not self._may_be_due:
            return None
        try:
            ticket = self._pipeline.second_try()
        except StoreError as error:
            event = {"why": str(error)}
            log.info("frames that were given up wait for the database", **event)
            return None
        self._may_be_due = ticket is not None
        if ticket is not None:
            self._troubles.note_claimed(ticket)
        return ticket

    def _pause(self, seconds: float) -> bool:
        # Waiting for a disk to come back is no stall: a restart would not bring it sooner.
        self._heartbeats.beat(STAGE)
        return self._wait(seconds)

    def _job_of(self, item: Item) -> FrameJob:
        held = self._troubles.claimed(item)
        return FrameJob(item=item, claim=Claim.HELD if held else Claim.NOT_ASKED)

    def _steps_of(self, item: Item) -> StepRunner:
        policy = StepPolicy(
            patience_s=self._patience_s,
            pause=self._pause,
            on_begin=partial(self._heartbeats.beat, STAGE),
            on_failure=partial(self._note_failure, item),
        )
        return StepRunner(policy, self._clock)

    def _note_failure(self, item: Item, step: str, error: Exception) -> None:
        self._observer.failed(step)
        self.trouble = f"{STAGE}: {step} is repeated: {error}"
        log.warning("step failed", **place_of(item), step=step, why=error)

    def _try_later(
        self, job: FrameJob, steps: StepRunner, error: Exception, *, blame: bool
    ) -> FrameReport:
        """Put an item behind the others, or quarantine it when the failures are its own."""
        item = job.item
        # The ledger, which outlives a crash, counts one more attempt where the frame is to blame,
        # and none where the disk is.
        goes_on = job.claim is Claim.HELD and not blame
        failures = self._troubles.note_failed(item, error, blame=blame, claimed=goes_on)
        if failures >= self._max_attempts and isinstance(item, FrameTicket):
            once = steps.without_patience()
            try:
                return self._pipeline.quarantine(item, once, Fault.FAILED, _reason(item, error))
            except StoreError:
                log.warning("quarantine failed", **place_of(item))
        self._inbox.put_back(item)
        return sum_up(item, steps, FrameOutcome.PUT_BACK, reason=str(error))


def _reason(ticket: FrameTicket, error: Exception) -> str:
    if isinstance(error, ScopewatchError):
        return str(error)
    return complaint(
        "frame cannot be processed",
        where=ticket.locator,
        got=f"{type(error).__name__}: {error}",
        do="report it with this frame; the log holds the traceback",
    )
