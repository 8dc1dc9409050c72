"""A worker with fakes around it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.imaging.result import FrameResult
from scopewatch.runtime.pipeline.frame_pipeline import FramePipeline
from scopewatch.runtime.pipeline.inbox import BoundedInbox
from scopewatch.runtime.pipeline.outcome import FrameOutcome
from scopewatch.runtime.pipeline.worker import Worker
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from tests.conftest import FakeClock
from tests.unit.runtime.fakes import FakeOverlays, FakeSource, FakeStore, Listener, make_result

RULE = AlertRule(name="weak", target=0.5, from_day=8, consecutive=3, hysteresis=0.05)


@dataclass
class Bench:
    """A worker with fakes around it."""

    clock: FakeClock
    source: FakeSource = field(default_factory=FakeSource)
    store: FakeStore = field(default_factory=FakeStore)
    overlays: FakeOverlays = field(default_factory=FakeOverlays)
    listener: Listener = field(default_factory=Listener)
    analyse: Callable[[Frame], FrameResult] = make_result
    pauses: list[float] = field(default_factory=list)
    stop_after: int = 1_000_000
    hold_s: Callable[[], float] = float

    def __post_init__(self) -> None:
        self.heartbeats = Heartbeats(self.clock, stall_s=60)
        self.inbox = BoundedInbox(100, self.clock)
        self.worker = Worker(
            inbox=self.inbox,
            pipeline=FramePipeline(
                sources={"folder": self.source, "here": self.source},
                analyse=self.judge,
                store=self.store,
                overlays=self.overlays,
                phase_channel="phase",
            ),
            clock=self.clock,
            heartbeats=self.heartbeats,
            observer=self.listener,
            max_attempts=3,
            patience_s=30,
            hold_s=self.hold,
            pause=self.pause,
        )

    def hold(self) -> float:
        return self.hold_s()

    def judge(self, frame: Frame) -> FrameResult:
        return self.analyse(frame)

    def pause(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        self.clock.advance(seconds)
        return len(self.pauses) >= self.stop_after

    def drain(self) -> list[FrameOutcome]:
        outcomes = []
        while self.inbox.depth:
            report = self.worker.work()
            assert report is not None
            outcomes.append(report.outcome)
            assert len(outcomes) < 100
        return outcomes
