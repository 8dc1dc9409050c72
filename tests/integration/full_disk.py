"""A disk that is full at one write only, and the parts of the daemon around it, in one thread."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest

from scopewatch.app.recording.drawing import DatedOverlays
from scopewatch.app.recording.store import Store
from scopewatch.app.run_policy import policy_of
from scopewatch.config import OverlayConfig, RunConfig
from scopewatch.core.alerts.rules import Severity
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.fluorescence import read_fluorescence, thresholds_of
from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.imaging.model_card.held_out import HeldOutErrors
from scopewatch.core.imaging.result import FrameResult
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch.core.tickets import FrameTicket
from scopewatch.runtime.pipeline.frame_pipeline import FramePipeline, Marker
from scopewatch.runtime.pipeline.inbox import BoundedInbox
from scopewatch.runtime.pipeline.outcome import FrameOutcome
from scopewatch.runtime.pipeline.worker import Worker
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from scopewatch.store.files.overlays import OverlayFolder
from scopewatch.store.read.reader import Reader
from scopewatch.store.schema.engine import open_writer
from scopewatch.store.schema.place import DATABASE
from scopewatch.store.write.measuring import Measuring
from tests.conftest import FakeClock
from tests.unit.core.fluorescence_samples import glow, marker_card
from tests.unit.runtime.fakes import FakeSource, Listener, make_result
from tests.unit.store.scene import RATES, RULES, TABLE, composer_of, frame_of, judged, key, ticket

NO_SPACE = os.strerror(errno.ENOSPC)
LAST = 20  # time point of the final day
GRID = TileGrid(height=256, width=256, tile_px=32)
CARD = marker_card()
BLANK = "H12"  # the well whose frames cannot be judged


@dataclass
class Full:
    """A disk that is full for one write until `relieve` is called."""

    struck: int = 0
    active: bool = True

    def relieve(self) -> None:
        self.active = False


@contextmanager
def no_space_at(place: str, owner: object, what: str = "") -> Iterator[Full]:
    """Let one write fail on a full disk; every other write succeeds.

    Parameters
    ----------
    place
        `module function call`, as `written_places` names it.
    owner
        What `call` is looked up in.
    what
        Part of the name of the file or folder that is written.
    """
    module, function, call = place.split()
    real = getattr(owner, call)
    full = Full()

    def write(*args: object, **options: object) -> object:
        caller = sys._getframe(1)
        code, known = caller.f_code, caller.f_locals
        subject = Path(str(known.get("path", known.get("folder", "")))).name
        here = code.co_qualname == function and code.co_filename.endswith(module)
        if not (full.active and here and what in subject):
            return real(*args, **options)
        full.struck += 1
        if call == "write_bytes":
            # A disk that fills up still writes what fits.
            file, data = args
            assert isinstance(file, Path) and isinstance(data, bytes)  # noqa: PT018
            real(file, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, NO_SPACE)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, call, write)
        yield full


@contextmanager
def small_file_system(folder: Path, size_mb: int) -> Iterator[Path]:
    """Put an existing folder on a file system of its own of a few megabytes."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounts a small tmpfs: needs Linux and root")
    options = f"size={size_mb}m,mode=0750"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"a tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Write until nothing more fits; return the file to be removed."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    assert shutil.disk_usage(disk).free < 1 << 12
    return ballast


@cache
def empty_database() -> bytes:
    """Return a database without a row: making one for each test would take longer than the test."""
    with tempfile.TemporaryDirectory() as folder:
        open_writer(Path(folder)).dispose()
        return Path(folder, DATABASE).read_bytes()


class Bench:
    """Source, worker, store and pictures of a daemon; raw data, pictures and state lie apart.

    Attributes
    ----------
    relief
        Called while the worker waits to repeat a step: the disk gets room again.
    loading
        Called when a frame is read, which is after its claim and before its commit.
    troubles
        The troubles of the worker at each such wait.
    """

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        self.clock = clock
        self.raw, self.state, self.pictures = (folder / n for n in ("raw", "state", "overlays"))
        self.raw.mkdir()
        self.run = RunConfig(
            name="run 7", day_from="time_point", fluorescence_channel="gfp", simulated=True
        )
        self.relief: Callable[[], None] = lambda: None
        self.loading: Callable[[], None] = lambda: None
        self.troubles: list[str] = []
        self.fraction = 0.7
        self.errors = HeldOutErrors(
            tpr=RATES.tpr, fpr=RATES.fpr, half_width=RATES.half_width, run_residuals={"a": 0.01}
        )
        self.open()

    def open(self) -> None:
        """Start the parts of the daemon over a state folder, which may exist already."""
        policy = replace(policy_of(self.run), rates=RATES, forecast=TABLE)
        self.store = Store.open(
            self.state,
            policy=policy,
            composer=composer_of(policy, mail=Severity.INFO),
            clock=self.clock,
            rules=RULES,
            measuring=Measuring(
                thresholds=thresholds_of(CARD.labels),
                final_day=10.0,
                errors=self.errors,
                model_sha256="0123456789ab" + "0" * 52,
                state=self.state,
            ),
        )
        self.reader = Reader.open(self.state)
        self.overlays = OverlayFolder(
            self.pictures,
            options=OverlayConfig(),
            policy=policy_of(self.run),
            threshold=0.5,
            named=self.reader.named_with,
        )
        source = FakeSource()
        source.load = self.load  # type: ignore[method-assign]
        self.inbox = BoundedInbox(100, self.clock)
        self.worker = Worker(
            inbox=self.inbox,
            pipeline=FramePipeline(
                sources={"folder": source},
                analyse=self.judge,
                store=self.store,
                overlays=DatedOverlays(self.overlays, self.store.day_of),
                phase_channel="phase",
                marker=Marker(channel="gfp", read=lambda f, s: read_fluorescence(f, CARD, s)),
            ),
            clock=self.clock,
            heartbeats=Heartbeats(self.clock, stall_s=60),
            observer=Listener(),
            max_attempts=2,
            pause=self.pause,
        )

    def close(self) -> None:
        self.reader.close()
        self.store.close()

    def offer(self, name: FrameKey, fingerprint: str = "1") -> FrameTicket:
        path = self.raw / f"{str(name).replace('/', '-')}.tif"
        path.write_bytes(f"pixels of {name}, {fingerprint}".encode())
        offered = ticket(name, locator=str(path), fingerprint=fingerprint)
        assert self.inbox.offer(offered)
        return offered

    def load(self, ticket: FrameTicket) -> Frame:
        assert Path(ticket.locator).read_bytes()
        self.loading()
        if ticket.key.channel != "gfp":
            return frame_of(ticket.key)
        return Frame(key=ticket.key, pixels=glow(0.5), pixel_size_um=1.0, acquired_at=None)

    def judge(self, frame: Frame) -> FrameResult:
        if frame.key.well == BLANK:
            return make_result(frame, Fault.BLANK)
        return judged(frame.key, self.fraction, grid=GRID)

    def pause(self, seconds: float) -> bool:
        self.troubles += self.worker.troubles()
        assert len(self.troubles) < 20, "the step never succeeds"
        self.relief()
        self.clock.advance(seconds)
        return False

    def work(self) -> list[FrameOutcome]:
        """Process frames until none waits."""
        outcomes = []
        while self.inbox.depth:
            report = self.worker.work()
            assert report is not None
            outcomes.append(report.outcome)
        return outcomes

    def score(
        self, well: str = "A1", time_point: int = 0, channel: str = "phase"
    ) -> list[FrameOutcome]:
        self.offer(key(well, time_point, channel=channel))
        return self.work()

    def raw_data(self) -> dict[str, tuple[bytes, int]]:
        return {
            path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in self.raw.iterdir()
        }

    def on_disk(self) -> set[str]:
        """Return the pictures and any other file in their folder."""
        files = (path for path in self.pictures.rglob("*") if path.is_file())
        return {str(path.relative_to(self.pictures)) for path in files}

    def expect_all_in_order(self) -> None:
        """Assert: no temporary file, a result for each picture, no result without its pictures."""
        named = {
            name
            for frame in self.reader.frames()
            for name in (frame.overlay, frame.stain)
            if name is not None
        }
        assert self.on_disk() == named
        assert not list(self.state.rglob(".*.part"))
        assert self.worker.troubles() == ()


def bench_in(folder: Path, clock: FakeClock) -> Iterator[Bench]:
    """Make a bench and close it, for a fixture."""
    (folder / "state").mkdir(exist_ok=True)
    (folder / "state" / DATABASE).write_bytes(empty_database())
    made = Bench(folder, clock)
    yield made
    made.close()
