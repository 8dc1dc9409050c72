"""A rescan of a folder of 100,000 settled files by two builds: CPU time, paired.

    python -m benchmarks.paired.compare_walks --baseline fe8c2ee [--pairs 30] [--files 100000]

Both walk the same folder in processes that take turns. Exits with 1 where the upper end of the
interval is above the bound.
"""

import argparse
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.paired.builds import Build, baseline, processor, this_build
from benchmarks.paired.ratios import Ratio, paired_ratio

WALKS = 3
WELLS = 96
FILES = 100_000


def main() -> int:
    """Compare, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baseline", default=os.environ.get("BASELINE"))
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--most", type=float, default=1.05, help="bound of the upper end")
    call = parser.parse_args()
    if not call.baseline:
        parser.error("name a commit: --baseline COMMIT, or BASELINE=COMMIT")
    with baseline(call.baseline) as old, tempfile.TemporaryDirectory() as folder:
        walks = compare(old, this_build(), Path(folder), call.pairs, call.files)
    print(f"{processor()}; {call.files} files")
    walks.print()
    high = walks.ratio.high
    kept = high <= call.most
    print(f"upper end {high:.3f}, bound {call.most:g}: {'kept' if kept else 'MISSED'}")
    return 0 if kept else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """What came of it: CPU seconds of a walk of the old build, and the ratios."""

    old_s: float
    ratio: Ratio
    control: Ratio

    def print(self) -> None:
        """Print a line for each ratio."""
        print(f"old again / old  {self.control}")
        print(f"new / old        {self.ratio}, old {self.old_s:.2f} CPU-s")


def compare(old: Build, new: Build, folder: Path, pairs: int, files: int = FILES) -> Walked:
    """Walk the files in turns; return the figures."""
    make_files(folder, files)
    took: dict[str, list[float]] = {"old": [], "again": [], "new": []}
    runs = {"old": old, "again": old, "new": new}
    for number in range(pairs):
        names = list(runs)
        for name in names[number % 3 :] + names[: number % 3]:
            took[name].append(walk(runs[name], folder))
        print(".", end="", flush=True)
    print()
    return Walked(
        old_s=statistics.median(took["old"]),
        ratio=paired_ratio(took["new"], took["old"]),
        control=paired_ratio(took["again"], took["old"]),
    )


def walk(build: Build, folder: Path) -> float:
    """Return the CPU seconds of a walk, the smallest of a few."""
    script = Path(__file__).parent / "walk_workload.py"
    return min(map(float, build.run(script, folder, WALKS).split()))


def make_files(folder: Path, count: int) -> None:
    """Make empty files with names of a plate: a walk does not open settled files."""
    for index in range(count):
        well, point = index % WELLS, index // WELLS
        name = f"P1_{chr(ord('A') + well // 12)}{well % 12 + 1}_s0_t{point:04d}_phase.tif"
        place = folder / f"day{point // 50}"
        place.mkdir(exist_ok=True)
        (place / name).touch()


if __name__ == "__main__":
    sys.exit(main())
