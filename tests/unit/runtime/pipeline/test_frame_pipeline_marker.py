"""The fluorescence of the final day in the frame pipeline."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from scopewatch.core.errors import FrameError, StoreError
from scopewatch.core.imaging.fluorescence import FluorescenceReading, read_fluorescence
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.imaging.result import FrameResult
from scopewatch.core.tickets import FrameTicket
from scopewatch.runtime.pipeline.frame_job import FrameJob
from scopewatch.runtime.pipeline.frame_pipeline import FramePipeline, Marker
from scopewatch.runtime.pipeline.outcome import FrameOutcome
from scopewatch.runtime.pipeline.step_runner import StepPolicy, StepRunner
from tests.conftest import FakeClock
from tests.unit.core.fluorescence_samples import marker_card
from tests.unit.runtime.fakes import (
    FakeOverlays,
    FakeSource,
    FakeStore,
    make_result,
    make_ticket,
)

GFP = make_ticket("gfp.tif", channel="gfp", time_point=20)


@dataclass
class Bench:
    """A frame pipeline whose second channel is gfp."""

    clock: FakeClock
    store: FakeStore = field(default_factory=FakeStore)
    source: FakeSource = field(default_factory=FakeSource)
    shapes: list[tuple[int, int] | None] = field(default_factory=list)
    scored: list[Frame] = field(default_factory=list)
    steps: set[str] = field(default_factory=set)

    def read(self, frame: Frame, shape: tuple[int, int] | None) -> FluorescenceReading:
        self.shapes.append(shape)
        return read_fluorescence(frame, marker_card(), shape)

    def analyse(self, frame: Frame) -> FrameResult:
        self.scored.append(frame)
        return make_result(frame)

    def process(
        self,
        ticket: FrameTicket = GFP,
        read: Callable[[Frame, tuple[int, int] | None], FluorescenceReading] | None = None,
    ) -> FrameOutcome:
        pipeline = FramePipeline(
            sources={"folder": self.source},
            analyse=self.analyse,
            store=self.store,
            overlays=FakeOverlays(),
            phase_channel="phase",
            marker=Marker(channel="gfp", read=read or self.read),
        )
        steps = StepRunner(StepPolicy(patience_s=0, pause=lambda _: False), self.clock)
        report = pipeline.process(FrameJob(item=ticket), steps)
        self.steps = set(report.steps_s)
        return report.outcome


@pytest.fixture
def bench(clock: FakeClock) -> Bench:
    return Bench(clock)


def test_a_frame_of_the_marker_is_measured_and_never_scored(bench: Bench) -> None:
    bench.store.shape = (64, 64)

    assert bench.process() is FrameOutcome.MEASURED
    assert bench.store.measured == ["gfp.tif"]
    assert bench.shapes == [(64, 64)]
    assert bench.scored == []
    assert bench.steps == {"claim", "load", "shape", "analyse", "measure"}


def test_phase_frames_are_scored_as_before_and_others_are_not(bench: Bench) -> None:
    assert bench.process(make_ticket("phase.tif")) is FrameOutcome.SCORED
    assert bench.process(make_ticket("dapi.tif", channel="dapi")) is FrameOutcome.SKIPPED
    assert bench.store.measured == []


def test_a_measured_frame_is_known_when_it_is_offered_again(bench: Bench) -> None:
    bench.process()

    assert bench.process() is FrameOutcome.KNOWN
    assert len(bench.store.measured) == 1


def test_a_frame_that_shows_another_field_is_quarantined_with_the_reason(bench: Bench) -> None:
    bench.store.shape = (64, 128)

    assert bench.process() is FrameOutcome.QUARANTINED
    ((locator, fault, reason),) = bench.store.quarantined
    assert (locator, fault) == ("gfp.tif", "unreadable")
    assert reason.startswith("fluorescence does not cover the field of its phase frame")


def test_a_file_that_cannot_be_read_is_quarantined(bench: Bench) -> None:
    bench.source.failures["gfp.tif"] = [FrameError("file is cut off")]

    assert bench.process() is FrameOutcome.QUARANTINED
    assert bench.shapes == []


def test_a_database_that_is_away_leaves_the_frame_for_later(bench: Bench) -> None:
    bench.store.failures["measure"] = [StoreError("database is locked")]

    with pytest.raises(StoreError, match="locked"):
        bench.process()
    assert bench.store.measured == []
