"""The metrics of the daemon for Prometheus, in a registry of their own."""

from collections.abc import Callable, Iterable
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from scopewatch.core.clock import Clock
from scopewatch.core.errors import StoreError
from scopewatch.core.source import FrameSource
from scopewatch.event_log import get_logger
from scopewatch.runtime.copying.copier import CopyCounts
from scopewatch.runtime.pipeline.inbox import BoundedInbox
from scopewatch.runtime.pipeline.outcome import FrameOutcome, FrameReport

log = get_logger(__name__)

_STEP_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LATENCY_BUCKETS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)


class ChannelLike(Protocol):
    """The counts of one alert channel: messages waiting, refused for good, and taken."""

    @property
    def channel(self) -> str:
        """Name of the channel."""
        ...

    @property
    def waiting(self) -> int:
        """Messages not taken yet."""
        ...

    @property
    def given_up(self) -> int:
        """Messages refused for good."""
        ...

    @property
    def delivered(self) -> int | None:
        """Messages taken; None where they were not counted."""
        ...


class CopiesLike(Protocol):
    """The state of the copies of pictures."""

    @property
    def counts(self) -> CopyCounts:
        """What was done since the start."""
        ...

    @property
    def waiting(self) -> int:
        """Pictures that wait to be copied."""
        ...

    @property
    def failing(self) -> bool:
        """Whether the place cannot be written to."""
        ...


class Metrics:
    """Counts outcomes of frames; a `runtime.pipeline.outcome.Observer` for any thread."""

    def __init__(self, clock: Clock, inbox: BoundedInbox) -> None:
        self._clock = clock
        self._last_s: float | None = None
        self._totals = dict.fromkeys(FrameOutcome, 0)
        self.registry = CollectorRegistry()
        self._frames = Counter(
            "scopewatch_frames", "Frames by how their way ended", ["state"], registry=self.registry
        )
        for outcome in FrameOutcome:
            self._frames.labels(outcome.value)
        self._steps = Histogram(
            "scopewatch_step_seconds",
            "Time spent on one step of a frame",
            ["step"],
            buckets=_STEP_BUCKETS_S,
            registry=self.registry,
        )
        self._latency = Histogram(
            "scopewatch_latency_seconds",
            "From when a frame was first seen until it was scored or quarantined",
            buckets=_LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        self._failures = Counter(
            "scopewatch_step_failures",
            "Steps that failed because the store or the source was away",
            ["step"],
            registry=self.registry,
        )
        self._alerts = Counter(
            "scopewatch_alerts", "Alert messages raised or resolved", registry=self.registry
        )
        self._gauge(
            "scopewatch_last_frame_age_seconds",
            "Since a frame was last scored; NaN before the first",
            self.last_frame_age_s,
        )
        self.registry.register(_InboxCollector(inbox))

    def ended(self, report: FrameReport) -> None:
        """Count the end of the work on an item."""
        self._frames.labels(report.outcome.value).inc()
        self._totals[report.outcome] += 1
        for step, took_s in report.steps_s.items():
            self._steps.labels(step).observe(took_s)
        if report.outcome in (FrameOutcome.SCORED, FrameOutcome.QUARANTINED):
            self._latency.observe(report.latency_s)
        if report.outcome is FrameOutcome.SCORED:
            self._last_s = self._clock.monotonic()
        self._alerts.inc(len(report.alerts))

    def failed(self, step: str) -> None:
        """Count a step that will be tried again."""
        self._failures.labels(step).inc()

    def total(self, outcome: FrameOutcome) -> int:
        """Return how many frames had this outcome since the start."""
        return self._totals[outcome]

    def last_frame_age_s(self) -> float:
        """Seconds since a frame was last scored; NaN before the first."""
        return float("nan") if self._last_s is None else self._clock.monotonic() - self._last_s

    def watch_sources(self, sources: Iterable[FrameSource]) -> None:
        """Show the health of these sources as well."""
        self.registry.register(_SourceCollector(tuple(sources)))

    def watch_channels(self, read: Callable[[], Iterable[ChannelLike]]) -> None:
        """Show the counts of alert channels as well; `read` may raise StoreError."""
        self.registry.register(_ChannelCollector(read))

    def watch_copies(self, copies: CopiesLike) -> None:
        """Show the state of the copies of pictures as well."""
        self.registry.register(_CopiesCollector(copies))

    def _gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        Gauge(name, text, registry=self.registry).set_function(read)


class _InboxCollector(Collector):
    """Reads the inbox when Prometheus asks."""

    def __init__(self, inbox: BoundedInbox) -> None:
        self._inbox = inbox

    def collect(self) -> Iterable[Metric]:
        """Yield depth, age of the oldest item and the counts."""
        counts = self._inbox.counts
        yield GaugeMetricFamily(
            "scopewatch_inbox_waiting", "Frames waiting for the worker", self._inbox.depth
        )
        yield GaugeMetricFamily(
            "scopewatch_inbox_oldest_seconds",
            "How long the oldest waiting frame has waited",
            self._inbox.oldest_s(),
        )
        offers = CounterMetricFamily(
            "scopewatch_inbox_offers", "Offers of the sources by answer", labels=["answer"]
        )
        offers.add_metric(["taken-in"], counts.taken_in)
        offers.add_metric(["repeated"], counts.repeated)
        offers.add_metric(["turned-down"], counts.turned_down)
        yield offers


class _SourceCollector(Collector):
    """Asks the sources for their health when Prometheus asks."""

    def __init__(self, sources: tuple[FrameSource, ...]) -> None:
        self._sources = sources

    def collect(self) -> Iterable[Metric]:
        """Yield alive, found and waiting of every source."""
        alive = GaugeMetricFamily(
            "scopewatch_source_alive", "1 while the source notices new frames", labels=["source"]
        )
        found = CounterMetricFamily(
            "scopewatch_source_found", "Frames the source has found", labels=["source"]
        )
        waiting = GaugeMetricFamily(
            "scopewatch_source_waiting",
            "Frames seen but not yet whole or not yet taken",
            labels=["source"],
        )
        for source in self._sources:
            health = source.health()
            alive.add_metric([source.name], float(health.alive))
            found.add_metric([source.name], health.found)
            waiting.add_metric([source.name], health.waiting)
        yield from (alive, found, waiting)


class _ChannelCollector(Collector):
    """Reads the outbox when Prometheus asks."""

    def __init__(self, read: Callable[[], Iterable[ChannelLike]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        """Yield the messages of every channel by state; nothing while the store is away."""
        waiting = GaugeMetricFamily(
            "scopewatch_messages_waiting", "Alert messages not taken yet", labels=["channel"]
        )
        ended = CounterMetricFamily(
            "scopewatch_messages",
            "Alert messages by how their way ended",
            labels=["channel", "state"],
        )
        try:
            for row in self._read():
                waiting.add_metric([row.channel], row.waiting)
                if row.delivered is not None:
                    ended.add_metric([row.channel, "delivered"], row.delivered)
                ended.add_metric([row.channel, "given-up"], row.given_up)
        except StoreError as error:
            log.warning("outbox cannot be counted", why=str(error))
        yield from (waiting, ended)


class _CopiesCollector(Collector):
    """Reads the state of the copies of pictures when Prometheus asks."""

    def __init__(self, copies: CopiesLike) -> None:
        self._copies = copies

    def collect(self) -> Iterable[Metric]:
        """Yield what waits, whether the place is away, and the counts."""
        counts = self._copies.counts
        yield GaugeMetricFamily(
            "scopewatch_picture_copies_waiting",
            "Pictures that wait to be copied",
            self._copies.waiting,
        )
        yield GaugeMetricFamily(
            "scopewatch_picture_copies_failing",
            "1 while the place of copies cannot be written to",
            float(self._copies.failing),
        )
        ended = CounterMetricFamily(
            "scopewatch_picture_copies",
            "Copies of pictures by what became of them",
            labels=["state"],
        )
        ended.add_metric(["copied"], counts.copied)
        ended.add_metric(["removed"], counts.removed)
        ended.add_metric(["gone"], counts.gone)
        yield ended
