"""Makes the worker, which judges frames and records them."""

from collections.abc import Callable, Sequence
from functools import partial

from scopewatch.app.daemon_context import DaemonContext
from scopewatch.app.measuring import make_marker
from scopewatch.app.recording.drawing import DatedOverlays
from scopewatch.app.results import open_overlays
from scopewatch.core.imaging.analyse import analyse
from scopewatch.runtime.pipeline.frame_pipeline import FramePipeline
from scopewatch.runtime.pipeline.outcome import FrameReport, Observer
from scopewatch.runtime.pipeline.worker import Worker


def make_worker(context: DaemonContext, observers: Sequence[Observer]) -> Worker:
    """Make the worker; `observers` are called for every frame, in its thread."""
    config, store, clock = context.config, context.store, context.clock
    card = context.scorer.card
    return Worker(
        inbox=context.inbox,
        pipeline=FramePipeline(
            sources={source.name: source for source in context.sources},
            analyse=partial(analyse, scorer=context.scorer, monotonic=clock.monotonic),
            store=store,
            overlays=DatedOverlays(open_overlays(config, card, context.reader), store.day_of),
            phase_channel=config.experiment.phase_channel,
            marker=make_marker(config, card),
        ),
        clock=clock,
        heartbeats=context.heartbeats,
        observer=_ObserverGroup((context.metrics, *observers), context.delivery.wake),
        max_attempts=config.runtime.max_attempts,
        hold_s=context.bursts.hold_s,
    )


class _ObserverGroup:
    """Passes the worker's reports on, and wakes the delivery where a frame caused an alert."""

    def __init__(self, observers: Sequence[Observer], wake: Callable[[], None]) -> None:
        self._observers = observers
        self._wake = wake

    def ended(self, report: FrameReport) -> None:
        """Note the end of the work on an item."""
        for observer in self._observers:
            observer.ended(report)
        if report.alerts:
            self._wake()

    def failed(self, step: str) -> None:
        """Note that a step failed and will be tried again."""
        for observer in self._observers:
            observer.failed(step)
