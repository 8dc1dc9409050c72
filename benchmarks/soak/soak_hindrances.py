"""Whether faults of scopewatch delay a time-lapse that it acquires itself.

    python benchmarks/soak/soak_hindrances.py [--short] [--rounds 40] [--images 50]

One Micro-Manager core with its demo camera takes time points in mode `acquire`, in turn
undisturbed, with a callback that raises at every image, with an inbox that refuses every frame,
and with a database that does not answer. Every time point must hold all its images, and in the end
every image must have been offered. Prints the median time of each kind and its ratio to the
undisturbed one, with the 95 % interval over resampled rounds; the load before the run is printed.
Exits with 1 where an image is missing or a ratio is beyond 1.05. It needs an otherwise idle
machine.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from mm_test_adapters import device_adapter_path
from numpy.typing import NDArray
from rounds import MOST, RESAMPLED, read_call

from scopewatch.config import MicroManagerSourceConfig, RunConfig
from scopewatch.core.tickets import FrameTicket, Mark, Refusal
from scopewatch.runtime.clock import SystemClock
from scopewatch.sources.micromanager.devices.pycro_manager import PycroManagerMicroscope
from scopewatch.sources.micromanager.events import Axes, Event, never
from scopewatch.sources.micromanager.source import MicroManagerSource

KINDS = ("free", "callback raises", "inbox full", "database hangs")
WITHIN_S = 60.0


class Hindrance:
    """Inbox, ledger and callback in one, that fail on demand."""

    def __init__(self) -> None:
        self.kind = KINDS[0]
        self.offered: set[str] = set()
        self._answers = threading.Event()

    def become(self, kind: str) -> None:
        """Switch to another fault."""
        self.kind = kind
        if kind == "database hangs":
            self._answers.clear()
        else:
            self._answers.set()

    def offer(self, ticket: FrameTicket) -> bool:
        """Take a ticket, unless the inbox is full."""
        if self.kind == "inbox full":
            return False
        self.offered.add(str(ticket.key))
        return True

    def refuse(self, _refusal: Refusal) -> bool:
        """Accept no refusal."""
        return False

    def settled(self, _source: str, _found: Sequence[Mark]) -> set[str]:
        """Return that nothing is settled, when it answers."""
        self._answers.wait()
        return set()

    def names_changed(self, _source: str) -> bool:
        """Return that no name changed, when it answers."""
        self._answers.wait()
        return False

    def acquisition(self, _source: str, _label: str, _identity: str) -> int:
        """Return the number of the only acquisition, when it answers."""
        self._answers.wait()
        return 1

    def after(self, saved: Callable[[Axes], None]) -> Callable[[Axes], None]:
        """Raise after an image was recorded, when the callback is to fail."""

        def note(axes: Axes) -> None:
            saved(axes)
            if self.kind == "callback raises":
                raise ZeroDivisionError

        return note


class HinderedMicroscope(PycroManagerMicroscope):
    """A real microscope source whose callback may raise."""

    hindrance: Hindrance

    def acquire(
        self,
        events: Sequence[Event],
        saved: Callable[[Axes], None],
        hold: Callable[[], bool] = never,
    ) -> bool:
        """Take images with a callback that may raise."""
        return super().acquire(events, self.hindrance.after(saved), hold)


def main() -> int:
    """Take the time points and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    call = read_call(parser, rounds=40, short=4, short_help="4 rounds", of="images", count=50)
    rounds = call.rounds
    with tempfile.TemporaryDirectory(prefix="scopewatch-soak-") as folder:
        taken, offered = run(Path(folder), rounds, call.count)
    wanted = (rounds * len(KINDS) + 1) * call.count
    call.print_machine()
    print(f"{rounds} rounds of {call.count} images of each kind; {offered} of {wanted} offered")
    kept = offered == wanted
    for kind in KINDS:
        ratio, low, high = compare(taken[KINDS[0]], taken[kind])
        print(
            f"{kind:<16} median {1e3 * np.median(taken[kind]):7.1f} ms"
            f"   ratio {ratio:.3f} (95 % {low:.3f} to {high:.3f})"
        )
        kept = kept and ratio <= MOST
    print("the time-lapse is not held up" if kept else f"BROKEN: an image missing, or x {MOST}")
    return 0 if kept else 1


def run(root: Path, rounds: int, images: int) -> tuple[dict[str, NDArray[np.float64]], int]:
    """Return the seconds of each time point by kind, and the number of offered images."""
    hindrance = Hindrance()
    config = MicroManagerSourceConfig.model_validate(
        {
            "kind": "micromanager",
            "mode": "acquire",
            "path": root / "data",
            "mm_app_path": device_adapter_path(),
            "positions": [{"label": f"A1-Site_{n}", "x_um": n, "y_um": 0} for n in range(images)],
            "channels": [{"group": "Channel", "preset": "FITC", "exposure_ms": 1}],
            "time_points": rounds * len(KINDS) + 1,
            "poll_s": 0.2,
        }
    )

    def make(config: MicroManagerSourceConfig, name: str) -> HinderedMicroscope:
        microscope = HinderedMicroscope(config, name)
        microscope.hindrance = hindrance
        return microscope

    named = RunConfig(name="soak", phase_channel="FITC")
    source = MicroManagerSource(config, named, SystemClock(), make)
    hindrance.become(KINDS[0])
    source.start(hindrance, hindrance)
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    try:
        acquire(source, 0)  # the first time point opens files and starts threads
        for index in range(1, rounds * len(KINDS) + 1):
            # Each round begins with another kind, since the data set grows.
            kind = KINDS[(index + index // len(KINDS)) % len(KINDS)]
            hindrance.become(kind)
            taken[kind].append(acquire(source, index))
        hindrance.become(KINDS[0])
        ends_at = time.monotonic() + WITHIN_S
        wanted = (rounds * len(KINDS) + 1) * images
        while len(hindrance.offered) < wanted and time.monotonic() < ends_at:
            source.scan()
            time.sleep(0.2)
    finally:
        hindrance.become(KINDS[0])
        source.stop()
    return {kind: np.array(each) for kind, each in taken.items()}, len(hindrance.offered)


def acquire(source: MicroManagerSource, index: int) -> float:
    """Take a time point; return the seconds it took."""
    began = time.perf_counter()
    if not source.acquire_time_point(index):
        sys.exit(f"time point {index} is not complete: {source.health().detail}")
    return time.perf_counter() - began


def compare(free: NDArray[np.float64], hindered: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the ratio of the medians, and its 95 % interval."""
    rng = np.random.default_rng(1)
    ratios = [
        np.median(rng.choice(hindered, hindered.size)) / np.median(rng.choice(free, free.size))
        for _ in range(RESAMPLED)
    ]
    low, high = np.percentile(ratios, (2.5, 97.5))
    return float(np.median(hindered) / np.median(free)), float(low), float(high)


if __name__ == "__main__":
    sys.exit(main())
