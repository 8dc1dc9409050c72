"""Whether mode `acquire` costs the acquisition anything: time per time point, beside pycro-manager.

    python -m benchmarks.acquire_pairs [--pairs 30] [--positions 24] [--exposure-ms 20]
        [--focus none|lock]

Two processes hold a core with Micro-Manager's demo devices each, and take the same events turn by
turn: one by pycro-manager alone, all events of a time point at once, until the last image is saved;
one by scopewatch's source. Every second pair begins with the other one. A first time point of each
is not counted. Prints the median of the ratios with its 95 % interval.

The machine must be otherwise idle. Needs the extra `micromanager` and `mm-test-adapters`.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.paired.ratios import paired_ratio
from scopewatch.config import (
    ChannelConfig,
    FocusConfig,
    MicroManagerSourceConfig,
    PositionConfig,
    RunConfig,
)

INTERVAL_S = 86_400.0


def configure(call: argparse.Namespace, folder: Path) -> MicroManagerSourceConfig:
    """Return the time-lapse that both take: a line of positions, two channels."""
    from mm_test_adapters import device_adapter_path  # noqa: PLC0415 - an optional extra

    return MicroManagerSourceConfig(
        kind="micromanager",
        mode="acquire",
        path=folder,
        mm_app_path=Path(device_adapter_path()),
        positions=tuple(
            PositionConfig(label=f"{'ABCDEFGH'[each // 12]}{each % 12 + 1}", x_um=10 * each, y_um=0)
            for each in range(call.positions)
        ),
        channels=tuple(
            ChannelConfig(group="Channel", preset=preset, exposure_ms=call.exposure_ms)
            for preset in ("FITC", "DAPI")
        ),
        focus=FocusConfig.model_validate({"method": call.focus}),
        interval_s=INTERVAL_S,
        time_points=call.pairs + 2,
    )


@contextmanager
def by_scopewatch(config: MicroManagerSourceConfig) -> Iterator[Callable[[int], None]]:
    """Yield what takes a time point by the source."""
    from scopewatch.runtime.clock import SystemClock  # noqa: PLC0415
    from scopewatch.sources.micromanager.source import MicroManagerSource  # noqa: PLC0415
    from tests.unit.sources.fakes import FakeInbox, FakeLedger  # noqa: PLC0415

    run = RunConfig(name="pairs", phase_channel="FITC")
    source = MicroManagerSource(config, run, SystemClock())
    source.start(FakeInbox(), FakeLedger())

    def take(index: int) -> None:
        if not source.acquire_time_point(index):
            sys.exit(f"time point {index} is not complete: {source.health().detail}")

    try:
        yield take
    finally:
        source.stop()


@contextmanager
def by_pycro_manager(config: MicroManagerSourceConfig) -> Iterator[Callable[[int], None]]:
    """Yield what takes a time point by pycro-manager alone."""
    from pycromanager import Acquisition, start_headless, stop_headless  # noqa: PLC0415

    from scopewatch.sources.micromanager.images import events_of  # noqa: PLC0415

    adapters = str(config.mm_app_path)
    setup = str(Path(adapters) / "MMConfig_demo.cfg")
    start_headless(adapters, setup, python_backend=True, buffer_size_mb=64)
    saved = threading.Semaphore(0)
    acquisition = Acquisition(
        directory=str(config.path),
        name="pairs",
        image_saved_fn=lambda _axes, _data: saved.release(),
    )

    def take(index: int) -> None:
        events = list(events_of(config, index).values())
        # One by one as well: as a list they would be merged into hardware sequences.
        for event in events:
            acquisition.acquire([event])
        for _ in events:
            saved.acquire()

    try:
        yield take
    finally:
        acquisition.mark_finished()
        acquisition.await_completion()
        stop_headless()


WAYS = {"scopewatch": by_scopewatch, "pycro-manager": by_pycro_manager}


def work(call: argparse.Namespace) -> None:
    """Take a time point for each line that comes in; print its seconds."""
    out, sys.stdout = sys.stdout, sys.stderr
    with (
        tempfile.TemporaryDirectory(prefix="scopewatch-pairs-") as folder,
        WAYS[call.way](configure(call, Path(folder))) as take,
    ):
        for line in sys.stdin:
            began = time.perf_counter()
            take(int(line))
            print(time.perf_counter() - began, file=out, flush=True)


class Worker:
    """A process that takes time points one way."""

    def __init__(self, way: str, given: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.acquire_pairs", "--way", way, *given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def take(self, index: int) -> float:
        """Return how long a time point took, in seconds."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(index, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def end(self) -> None:
        """Let it end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


def main() -> None:
    """Measure the pairs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--positions", type=int, default=24)
    parser.add_argument("--exposure-ms", type=float, default=20.0)
    parser.add_argument("--focus", choices=("none", "lock"), default="none")
    parser.add_argument("--way", choices=tuple(WAYS), help=argparse.SUPPRESS)
    call = parser.parse_args()
    if call.way:
        work(call)
        return
    workers = {way: Worker(way, sys.argv[1:]) for way in WAYS}
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    for index in range(call.pairs + 1):
        for way in list(WAYS) if index % 2 else list(WAYS)[::-1]:
            seconds = workers[way].take(index)
            if index:
                took[way].append(seconds)
    for worker in workers.values():
        worker.end()
    images = 2 * call.positions
    for way, each in took.items():
        print(f"{way}: {1e3 * sum(each) / len(each) / images:.1f} ms an image, of {images}")
    print(f"ratio: {paired_ratio(took['scopewatch'], took['pycro-manager'])}")


if __name__ == "__main__":
    main()
