"""CPU time per frame of two builds, from file closed to committed result with its picture.

    python -m benchmarks.paired.compare_builds --baseline fe8c2ee [--pairs 30] [--frames 8]
        [--runtime openvino]

Three real daemons are alive at once: the baseline, the baseline again, and this tree. In each round
all take the same frames, one daemon after the other, in changing order. The ratio of the baseline
to itself shows what the machine alone makes of it. All are restarted every few rounds, since one
process may have its memory laid out better than the next for as long as it runs. Exits with 1
where the upper end of the interval is above the bound.
"""

import argparse
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile

from benchmarks.paired.builds import Build, baseline, processor, this_build
from benchmarks.paired.following import Following
from benchmarks.paired.ratios import Ratio, paired_ratio
from scopewatch_simulator.simulation import Simulation

ORDERS = ((0, 1, 2), (2, 0, 1), (1, 2, 0), (0, 2, 1), (1, 0, 2), (2, 1, 0))
WARM_UP = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """How much is measured: rounds in all and in one life of the daemons, frames of each."""

    pairs: int = 30
    life: int = 6
    frames: int = 8
    side_px: int = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What came of it: CPU milliseconds a frame and peak memory by build, and the ratios."""

    cpu_ms: dict[str, float]
    peak_mb: dict[str, float]
    ratio: Ratio
    control: Ratio

    def print(self) -> None:
        """Print a line for each build and ratio."""
        for name, cpu_ms in self.cpu_ms.items():
            peak_mb = self.peak_mb[name]
            print(f"{name:<10} {cpu_ms:>8.1f} CPU-ms a frame, median; {peak_mb:.0f} MB at most")
        print(f"old again / old  {self.control}")
        print(f"new / old        {self.ratio}")


def main() -> int:
    """Compare, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baseline", default=os.environ.get("BASELINE"), required=False)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=6, help="rounds of one life of the daemons")
    parser.add_argument("--frames", type=int, default=8, help="frames of a round")
    parser.add_argument("--side-px", type=int, default=2048)
    parser.add_argument("--runtime", help="model.runtime of this tree's daemon")
    parser.add_argument("--most", type=float, default=1.05, help="bound of the upper end")
    call = parser.parse_args()
    if not call.baseline:
        parser.error("name a commit: --baseline COMMIT, or BASELINE=COMMIT")
    load = os.getloadavg()[0]
    rounds = Rounds(pairs=call.pairs, life=call.rounds, frames=call.frames, side_px=call.side_px)
    with baseline(call.baseline) as old, tempfile.TemporaryDirectory() as folder:
        compared = compare(old, this_build(runtime=call.runtime), Path(folder), rounds)
    runtime = f"; new with {call.runtime}" if call.runtime else ""
    print(f"{processor()}{runtime}; load before the run {load:.2f}")
    print(f"{call.pairs} rounds of {call.frames} frames of {call.side_px} x {call.side_px}")
    compared.print()
    high = compared.ratio.high
    kept = high <= call.most
    print(f"upper end {high:.3f}, bound {call.most:g}: {'kept' if kept else 'MISSED'}")
    return 0 if kept else 1


def compare(old: Build, new: Build, folder: Path, rounds: Rounds) -> Compared:
    """Run the rounds; return the figures."""
    frames = make_frames(folder / "frames", rounds.frames, rounds.side_px)
    builds = {"old": old, "old again": old, "new": new}
    took: dict[str, list[float]] = {name: [] for name in builds}
    peaks = dict.fromkeys(builds, 0.0)
    while (missing := rounds.pairs - len(took["old"])) > 0:
        place = Path(tempfile.mkdtemp(dir=folder))
        daemons = [Following(build, place / name, name=name) for name, build in builds.items()]
        try:
            for number in range(-WARM_UP, min(rounds.life, missing)):
                for daemon in (daemons[index] for index in ORDERS[number % len(ORDERS)]):
                    cpu_ms = daemon.take(frames, (number + WARM_UP) * len(frames))
                    if number >= 0:
                        took[daemon.name].append(cpu_ms)
                print(".", end="", flush=True)
            for daemon in daemons:
                peaks[daemon.name] = max(peaks[daemon.name], daemon.peak_mb())
        finally:
            for daemon in daemons:
                daemon.stop()
    print()
    return Compared(
        cpu_ms={name: statistics.median(each) for name, each in took.items()},
        peak_mb=peaks,
        ratio=paired_ratio(took["new"], took["old"]),
        control=paired_ratio(took["old again"], took["old"]),
    )


def make_frames(folder: Path, count: int, side_px: int) -> list[Path]:
    """Write simulated frames of a well late in its run."""
    folder.mkdir()
    field_px = 512
    simulation = Simulation(seed=1, size_px=field_px)
    fields = [simulation.frame(0, well, 0, 20) for well in range(8)]
    rng = np.random.default_rng(1)
    paths = []
    for index in range(count):
        across = max(1, side_px // field_px)
        rows = [
            np.hstack([fields[int(pick)] for pick in rng.integers(len(fields), size=across)])
            for _ in range(across)
        ]
        path = folder / f"{index}.tif"
        tifffile.imwrite(
            path,
            np.vstack(rows)[:side_px, :side_px],
            resolution=(1e4, 1e4),
            resolutionunit="CENTIMETER",
        )
        paths.append(path)
    return paths


if __name__ == "__main__":
    sys.exit(main())
