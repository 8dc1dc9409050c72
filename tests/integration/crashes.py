"""A simulated power cut: what it interrupts, and what must hold afterwards."""

import os
import sqlite3
from pathlib import Path

import pytest

from scopewatch.app.recording.drawing import DatedOverlays
from scopewatch.app.run_policy import policy_of
from scopewatch.config import OverlayConfig, RunConfig
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch.core.tickets import FrameTicket
from scopewatch.messages.settled import Settled
from scopewatch.runtime.pipeline.frame_job import FrameJob
from scopewatch.runtime.pipeline.frame_pipeline import FramePipeline
from scopewatch.runtime.pipeline.outcome import FrameOutcome
from scopewatch.runtime.pipeline.step_runner import StepPolicy, StepRunner
from scopewatch.store.files import overlays as overlays_module
from scopewatch.store.files.overlays import OverlayFolder
from scopewatch.store.read.reader import Reader
from scopewatch.store.schema.place import Place, Server
from tests.conftest import FakeClock
from tests.postgres import read_server
from tests.unit.runtime.fakes import FakeSource
from tests.unit.store.scene import frame_of, judged, key, open_store

WELLS = ("A1", "B2")
GRID = TileGrid(height=64, width=64, tile_px=16)

needs_fork = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="needs fork: a fresh process each is too slow"
)
# The child processes only work until they are killed.
forks = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


def frames_of(time_points: int) -> tuple[FrameKey, ...]:
    return tuple(key(well, time_point) for time_point in range(time_points) for well in WELLS)


FEW, MANY = frames_of(6), frames_of(25)


# After a power cut that is an exception nobody closes the connections, as after a real one.
leaves_connections = pytest.mark.filterwarnings(
    "ignore:.*was deleted while still open:ResourceWarning"
)


class PowerCutError(BaseException):
    """A simulated power cut, which the code under test must not catch."""


class Life:
    """One run of the worker, from its start until the power is cut; two attempts per frame.

    Parameters
    ----------
    place
        Where the results are.
    folder
        Where the pictures are.
    """

    def __init__(self, place: Place, folder: Path, fraction: float = 0.75) -> None:
        self.fraction = fraction
        self.store = open_store(place, FakeClock(), max_attempts=2)
        self.reader = Reader.open(place)
        self.overlays = OverlayFolder(
            folder / "overlays",
            options=OverlayConfig(),
            policy=policy_of(RunConfig(name="run 7")),
            threshold=0.5,
            named=self.reader.named_with,
        )
        for left in self.reader.without_result():
            self.overlays.discard(left)

    def walk(
        self, offered: FrameTicket, *, commits: bool = True, removes: bool = True
    ) -> FrameOutcome:
        """Process a frame to its end, or until its commit or the removal of a picture is cut."""

        def cut(*_: object, **__: object) -> Settled:
            raise PowerCutError

        source = FakeSource()
        source.load = lambda ticket: frame_of(ticket.key)  # type: ignore[method-assign]
        pipeline = FramePipeline(
            sources={"folder": source},
            analyse=lambda frame: judged(frame.key, self.fraction, grid=GRID),
            store=self.store,
            overlays=DatedOverlays(self.overlays, self.store.day_of),
            phase_channel="phase",
        )
        steps = StepRunner(StepPolicy(patience_s=0, pause=lambda _: True), FakeClock())
        with pytest.MonkeyPatch.context() as patch:
            if not commits:
                patch.setattr(self.store, "commit", cut)
            if not removes:
                patch.setattr(overlays_module, "remove_picture", cut)
            return pipeline.process(FrameJob(item=offered), steps).outcome

    def end(self) -> None:
        self.reader.close()
        self.store.close()


def pictures_in(folder: Path) -> set[str]:
    pictures = folder / "overlays"
    return {str(path.relative_to(pictures)) for path in pictures.rglob("*") if path.is_file()}


def expect_whole(place: Place) -> None:
    """Assert that the database is intact, whatever it holds."""
    if isinstance(place, Server):
        # The server checks each reference itself, but those that were added as valid unseen.
        unchecked = "SELECT conname FROM pg_constraint WHERE NOT convalidated"
        assert read_server(place, unchecked) == []
        return
    connection = sqlite3.connect(place / "scopewatch.db")
    rows = connection.execute("PRAGMA integrity_check").fetchall()
    violations = connection.execute("PRAGMA foreign_key_check").fetchall()
    connection.close()
    assert (rows, violations) == ([("ok",)], [])
