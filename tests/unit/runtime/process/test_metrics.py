import math
from dataclasses import dataclass

import pytest

from scopewatch.core.errors import StoreError
from scopewatch.runtime.pipeline.inbox import BoundedInbox
from scopewatch.runtime.pipeline.outcome import FrameOutcome, FrameReport
from scopewatch.runtime.process.metrics import Metrics
from tests.conftest import FakeClock
from tests.unit.runtime.fakes import FakeSource, make_key, make_ticket


@pytest.fixture
def inbox(clock: FakeClock) -> BoundedInbox:
    return BoundedInbox(1, clock)


@pytest.fixture
def metrics(clock: FakeClock, inbox: BoundedInbox) -> Metrics:
    return Metrics(clock, inbox)


def read(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_frames_are_counted_by_their_ending(metrics: Metrics) -> None:
    for outcome in (
        FrameOutcome.SCORED,
        FrameOutcome.SCORED,
        FrameOutcome.QUARANTINED,
        FrameOutcome.PUT_BACK,
    ):
        metrics.ended(
            FrameReport(outcome=outcome, key=make_key(), latency_s=2, steps_s={"load": 0.02})
        )
    assert read(metrics, "scopewatch_frames_total", state="scored") == 2
    assert read(metrics, "scopewatch_frames_total", state="quarantined") == 1
    assert read(metrics, "scopewatch_frames_total", state="refused") == 0
    assert read(metrics, "scopewatch_latency_seconds_sum") == 6
    assert read(metrics, "scopewatch_step_seconds_count", step="load") == 4
    assert metrics.total(FrameOutcome.SCORED) == 2


def test_the_age_of_the_last_frame_grows(metrics: Metrics, clock: FakeClock) -> None:
    age = read(metrics, "scopewatch_last_frame_age_seconds")
    assert age is not None
    assert math.isnan(age)
    metrics.ended(FrameReport(outcome=FrameOutcome.SCORED, key=make_key(), latency_s=1))
    clock.advance(40)
    assert read(metrics, "scopewatch_last_frame_age_seconds") == 40


def test_the_inbox_shows_its_depth_and_what_it_turned_down(
    metrics: Metrics, inbox: BoundedInbox, clock: FakeClock
) -> None:
    inbox.offer(make_ticket("a.tif"))
    inbox.offer(make_ticket("b.tif"))
    clock.advance(3)
    assert read(metrics, "scopewatch_inbox_waiting") == 1
    assert read(metrics, "scopewatch_inbox_oldest_seconds") == 3
    assert read(metrics, "scopewatch_inbox_offers_total", answer="turned-down") == 1


def test_sources_are_asked_when_prometheus_asks(metrics: Metrics) -> None:
    source = FakeSource("plates")
    metrics.watch_sources([source])
    source.alive = False
    assert read(metrics, "scopewatch_source_alive", source="plates") == 0
    assert read(metrics, "scopewatch_source_found_total", source="plates") == 7
    assert read(metrics, "scopewatch_source_waiting", source="plates") == 2


@dataclass
class Mail:
    channel: str = "mail"
    waiting: int = 2
    given_up: int = 1
    delivered: int | None = 5


def test_channels_are_counted_by_what_became_of_their_messages(metrics: Metrics) -> None:
    metrics.watch_channels(lambda: [Mail(), Mail("chat", delivered=None)])
    assert read(metrics, "scopewatch_messages_waiting", channel="mail") == 2
    assert read(metrics, "scopewatch_messages_total", channel="mail", state="delivered") == 5
    assert read(metrics, "scopewatch_messages_total", channel="chat", state="delivered") is None
    assert read(metrics, "scopewatch_messages_total", channel="mail", state="given-up") == 1


def test_an_unavailable_store_hides_only_its_own_figures(
    metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> list[Mail]:
        raise StoreError("result database cannot be used: scopewatch.db; check free space")

    metrics.watch_channels(fail)
    assert read(metrics, "scopewatch_messages_waiting", channel="mail") is None
    assert read(metrics, "scopewatch_inbox_waiting") == 0
    assert "outbox cannot be counted" in caplog.text


def test_failed_steps_are_counted(metrics: Metrics) -> None:
    metrics.failed("commit")
    assert read(metrics, "scopewatch_step_failures_total", step="commit") == 1
