"""Whether the daemon's memory and open files stay flat while it scores tens of thousands of frames.

    python benchmarks/soak/soak_memory.py [--short] [--frames 50000]

The daemon runs as a process of its own with its dashboard, in the environment of the systemd unit.
Frames are small, so that memory grows by what is kept of each. Resident memory and file descriptors
are read from /proc (Linux only) after every batch. A long run whose frames are scored earlier goes
on sampling until the hourly retention has checked all pictures. Exits with 1 where memory or
descriptors grew by more than a tenth after the warm-up.
"""

import argparse
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from daemon_process import BUNDLE, configure, start, unit_environment
from small_frames import FIELD_PX, write_corner

from scopewatch.app.monitoring import RETAIN_S
from scopewatch_simulator.simulation import Simulation

WELLS = 384
BATCHES = 50
# The first frames fill caches, pools and the interpreter's arena.
WARM_UP_BATCHES = 5
MOST_GROWTH = 0.10
STALLED_S = 120.0
LOOK_S = 0.25
LOOKS = 10
# Seconds beyond the hour, until retention is over on a busy machine too.
RETAINED_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The memory and descriptors of the process after a number of frames."""

    settled: int
    rss_mb: float
    descriptors: int


def main() -> int:
    """Write the frames in batches, sample after each, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="2,000 frames instead of 50,000")
    parser.add_argument("--frames", type=int)
    parser.add_argument("--model", type=Path, default=BUNDLE)
    call = parser.parse_args()
    frames = call.frames or (2_000 if call.short else 50_000)
    root = Path(tempfile.mkdtemp(prefix="scopewatch-soak-"))
    try:
        samples = soak(root, call.model, frames, 0 if call.short else RETAIN_S + RETAINED_S)
    finally:
        shutil.rmtree(root)
    warm, last = samples[WARM_UP_BATCHES - 1], samples[-1]
    highest = max(sample.rss_mb for sample in samples[WARM_UP_BATCHES:])
    growth = highest / warm.rss_mb - 1
    more = max(sample.descriptors for sample in samples[WARM_UP_BATCHES:]) - warm.descriptors
    print(f"after warm-up ({warm.settled} frames): {warm.rss_mb:.1f} MB, {warm.descriptors} files")
    print(f"at the end ({last.settled} frames): {last.rss_mb:.1f} MB, {last.descriptors} files")
    print(f"highest {highest:.1f} MB: growth {growth:+.1%}, allowed {MOST_GROWTH:.0%}")
    print(f"descriptors at most {more:+d}, allowed +{round(MOST_GROWTH * warm.descriptors)}")
    kept = growth <= MOST_GROWTH and more <= MOST_GROWTH * warm.descriptors
    print("memory and files are flat" if kept else "BROKEN: memory or files grow")
    return 0 if kept else 1


def soak(root: Path, model: Path, frames: int, lasts_s: float) -> list[Sample]:
    """Run the daemon over the frames, for a minimum time; return the samples."""
    incoming = root / "in"
    incoming.mkdir()
    simulation = Simulation(seed=3, size_px=FIELD_PX)
    field = simulation.frame(0, 0, 0, 20)
    config = configure(
        root,
        {"kind": "folder", "path": "in", "settle_s": 0.2},
        model,
        web={"port": 0},
        runtime={"burst_wait_s": 0, "rescan_s": 5},
    )
    samples: list[Sample] = []
    process = start(config, environ=unit_environment())
    began_s = time.monotonic()
    try:
        for batch in range(BATCHES):
            first, end = (frames * index // BATCHES for index in (batch, batch + 1))
            for index in range(first, end):
                write_frame(incoming, index, field)
            wait_for(root / "state" / "scopewatch.db", end, process)
            samples.append(sample(process.pid, end))
            show(samples[-1])
        left_s = began_s + lasts_s - time.monotonic()
        if left_s > 0:
            print(f"reading on for {left_s:.0f} s: the round of retention is to come", flush=True)
        while time.monotonic() < began_s + lasts_s:
            expect_alive(process)
            samples.append(sample(process.pid, frames))
            if samples[-1].rss_mb > max(each.rss_mb for each in samples[:-1]):
                show(samples[-1])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    return samples


def show(seen: Sample) -> None:
    """Print a sample."""
    print(
        f"{seen.settled:>7} frames {seen.rss_mb:>7.1f} MB {seen.descriptors:>4} descriptors",
        flush=True,
    )


def write_frame(incoming: Path, index: int, field: np.ndarray) -> None:
    """Write one frame at once: another corner of the field each time."""
    time_point, well = divmod(index, WELLS)
    row, column = divmod(well, 24)
    folder = incoming / f"t{time_point:04d}"
    folder.mkdir(exist_ok=True)
    path = folder / f"P1_{chr(65 + row)}{column + 1}_s0_t{time_point:04d}_phase.tif"
    write_corner(path, field, index)


def wait_for(database: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a number of frames is settled. Exits after a long time without progress."""
    # Checks are counted, not seconds: a machine that slept has not stalled.
    before, still = 0, 0
    while before < count:
        expect_alive(process)
        if still * LOOK_S > STALLED_S:
            sys.exit(f"only {before} of {count} frames were settled")
        time.sleep(LOOK_S)
        now = settled(database)
        still = 0 if now > before else still + 1
        before = now


def expect_alive(process: subprocess.Popen[bytes]) -> None:
    """Exit where the daemon has ended."""
    if process.poll() is not None:
        sys.exit(f"the daemon ended with {process.returncode}")


def settled(database: Path) -> int:
    """Return how many frames the database has as settled; 0 before there is a database."""
    if not database.exists():
        return 0
    question = "SELECT count(*) FROM frames WHERE settled_at IS NOT NULL"
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return int(connection.execute(question).fetchone()[0])
    except sqlite3.OperationalError:
        # The database is being created.
        return 0


def sample(pid: int, count: int) -> Sample:
    """Read memory and descriptors of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    # A file that is open briefly is missing in some samples; a leaked one is in all.
    counts = []
    for _ in range(LOOKS):
        counts.append(sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()))
        time.sleep(0.1)
    return Sample(settled=count, rss_mb=int(line.split()[1]) / 1024, descriptors=min(counts))


if __name__ == "__main__":
    sys.exit(main())
