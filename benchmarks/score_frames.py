"""Speed and memory of `scopewatch score`, run as a user runs it.

    python -m benchmarks.score_frames [--frames 100] [--model DIR]

Frames are 2048 x 2048 uint16 TIFFs, composed of simulated fields. Each way is a process of its own;
the time of a frame is the interval from the line before to its own line, so that reading and
drawing beside the model count as for the user. Processor time is that between the first line and
the last, without the start of the process. Exits with 1 where a bound is missed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import tifffile

from benchmarks.paired.following import cpu_s_of
from scopewatch_simulator.simulation import Simulation

ROOT = Path(__file__).resolve().parents[1]
SIDE_PX = 2048
FIELD_PX = 512
FIELDS = 8

# The promised figures on two cores.
P50_MS = 300.0
PEAK_MB = 500.0
FIRST_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run of the command."""

    frames: int
    p50_ms: float
    p95_ms: float
    first_s: float
    peak_mb: float
    cpu_ms: float


def main() -> int:
    """Make the frames, run both ways, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "simulated-cardiomyocyte")
    call = parser.parse_args()
    if call.frames < 2:
        parser.error("--frames 2 or more: the first one is the start of the process")
    with tempfile.TemporaryDirectory(prefix="scopewatch-bench-") as folder:
        frames, out = Path(folder) / "frames", Path(folder) / "stains"
        print(f"making {call.frames} frames of {SIDE_PX} x {SIDE_PX} uint16 ...", flush=True)
        make_frames(frames, call.frames)
        plain = measure(frames, call.model, [])
        drawn = measure(frames, call.model, ["--out", str(out)])
    print(f"on {os.cpu_count()} cores, {plain.frames} frames")
    print(f"{'':<22}{'p50':>9}{'p95':>9}{'cpu':>9}{'first':>9}{'peak RSS':>11}")
    for name, seen in (("scored", plain), ("scored and drawn", drawn)):
        print(
            f"{name:<22}{seen.p50_ms:>6.0f} ms{seen.p95_ms:>6.0f} ms{seen.cpu_ms:>6.0f} ms"
            f"{seen.first_s:>7.2f} s{seen.peak_mb:>8.0f} MB"
        )
    print(f"drawing costs x {drawn.p50_ms / plain.p50_ms:.2f} of the time per frame")
    missed = [
        f"{what} {value:.1f}, promised <= {bound:g}"
        for what, value, bound in (
            ("p50 ms", drawn.p50_ms, P50_MS),
            ("peak RSS MB", drawn.peak_mb, PEAK_MB),
            ("start to first frame s", drawn.first_s, FIRST_S),
        )
        if value > bound
    ]
    print("\n".join(f"MISSED: {line}" for line in missed) or "all bounds are kept")
    return 1 if missed else 0


def make_frames(folder: Path, count: int) -> None:
    """Write frames composed of simulated fields, each in another order."""
    folder.mkdir()
    simulation = Simulation(seed=1, size_px=FIELD_PX)
    fields = [simulation.frame(0, well, 0, 20) for well in range(FIELDS)]
    rng = np.random.default_rng(1)
    across = SIDE_PX // FIELD_PX
    for index in range(count):
        picks = rng.integers((FIELDS, 4), size=(across, across, 2))
        rows = [
            np.hstack([np.rot90(fields[int(field)], int(turns)) for field, turns in row])
            for row in picks
        ]
        tifffile.imwrite(
            folder / f"P1_A1_s0_t{index:04d}_phase.tif",
            np.vstack(rows),
            resolution=(1e4, 1e4),
            resolutionunit="CENTIMETER",
        )


def measure(frames: Path, model: Path, options: list[str]) -> Measured:
    """Run the command over the frames and time its lines."""
    command = [sys.executable, "-m", "scopewatch", "score", str(frames), "--model", str(model)]
    started = time.monotonic()
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    arrivals, cpu_s = [], []
    for text in process.stdout:
        arrivals.append(time.monotonic())
        cpu_s.append(cpu_s_of(process.pid))
        line = json.loads(text)
        if line["verdict"] != "judged":
            sys.exit(f"frame was not judged: {line['path']}: {line['reason']}")
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"the command failed with {os.waitstatus_to_exitcode(status)}")
    gaps_ms = sorted(1e3 * (late - early) for early, late in pairwise(arrivals))
    return Measured(
        frames=len(arrivals),
        p50_ms=statistics.median(gaps_ms),
        p95_ms=gaps_ms[int(0.95 * (len(gaps_ms) - 1))],
        first_s=arrivals[0] - started,
        peak_mb=used.ru_maxrss / 1024,
        cpu_ms=1e3 * (cpu_s[-1] - cpu_s[0]) / (len(cpu_s) - 1),
    )


if __name__ == "__main__":
    sys.exit(main())
