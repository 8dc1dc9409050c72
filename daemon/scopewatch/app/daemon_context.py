"""The objects that the stages of one daemon share, opened in the order of their needs."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from scopewatch.app.messaging.delivering import make_delivery
from scopewatch.app.recording.store import Store
from scopewatch.app.results import open_store
from scopewatch.app.shared.places import place_of
from scopewatch.app.sources import make_sources
from scopewatch.config import Config
from scopewatch.core.clock import Clock
from scopewatch.core.imaging.analyse import Scorer
from scopewatch.core.source import FrameSource
from scopewatch.notify.delivery import Delivery
from scopewatch.runtime.pipeline.burst_pause import Bursts
from scopewatch.runtime.pipeline.inbox import BoundedInbox
from scopewatch.runtime.pipeline.outcome import FrameOutcome
from scopewatch.runtime.process.metrics import Metrics
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from scopewatch.store.read.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonContext:
    """The objects that more than one stage of a daemon uses."""

    config: Config
    clock: Clock
    scorer: Scorer
    sources: Sequence[FrameSource]
    bursts: Bursts
    heartbeats: Heartbeats
    inbox: BoundedInbox
    metrics: Metrics
    store: Store
    reader: Reader
    delivery: Delivery

    def waiting(self) -> int:
        """Return how many frames were found but are neither scored nor quarantined."""
        return self.inbox.depth + sum(source.health().waiting for source in self.sources)

    def pausing(self) -> str:
        """Return why no frame is scored at the moment though all is well; '' otherwise."""
        return self.bursts.reason

    def summary(self) -> str:
        """Return one line of figures for the status."""
        quarantined = self.metrics.total(FrameOutcome.QUARANTINED) + self.metrics.total(
            FrameOutcome.REFUSED
        )
        figures = (
            f"{self.metrics.total(FrameOutcome.SCORED)} frames scored,"
            f" {quarantined} quarantined, {self.inbox.depth} waiting"
        )
        return f"{figures}; {self.bursts.reason}" if self.bursts.reason else figures


def open_context(config: Config, scorer: Scorer, clock: Clock, held: ExitStack) -> DaemonContext:
    """Open what the stages share; `held` closes it.

    Raises
    ------
    ConfigError, StoreError
        One line with what to do.
    """
    held.callback(scorer.close)
    bursts = Bursts(clock, per_s=config.runtime.burst_per_s, wait_s=config.runtime.burst_wait_s)
    sources = make_sources(config, clock, bursts)
    heartbeats = Heartbeats(clock, stall_s=config.runtime.stall_s)
    inbox = BoundedInbox(config.runtime.inbox, clock)
    metrics = Metrics(clock, inbox)
    metrics.watch_sources(sources)
    store = open_store(config, scorer.card, clock, held)
    reader = Reader.open(place_of(config))
    held.callback(reader.close)
    metrics.watch_channels(lambda: reader.channels(delivered=True))
    return DaemonContext(
        config=config,
        clock=clock,
        scorer=scorer,
        sources=sources,
        bursts=bursts,
        heartbeats=heartbeats,
        inbox=inbox,
        metrics=metrics,
        store=store,
        reader=reader,
        delivery=make_delivery(config, store, clock, heartbeats),
    )
