"""`prepare` of simulated pairs of 1024 x 1024 px by two builds: CPU time, paired.

    python benchmarks/paired/compare_prepare.py --baseline 70cc8e1c [--pairs 6] [--fields 40]

The same pairs for both, in processes that take turns; imports are not counted. The cost is that of
each pair and does not depend on how many there are, but for what is compared between pairs.
Exits with 1 where the median is above the bound.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from builds import Build, baseline, processor, this_build
from ratios import paired_ratio

from scopewatch_simulator.plan import FINAL_TIME_POINT
from scopewatch_simulator.simulate import simulate

RUNS = 2
MOST_WELLS = 96


def main() -> int:
    """Compare, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baseline", default=os.environ.get("BASELINE"))
    parser.add_argument("--pairs", type=int, default=6, help="of measurements")
    parser.add_argument("--fields", type=int, default=40)
    parser.add_argument("--size-px", type=int, default=1024)
    parser.add_argument("--most", type=float, default=1.1, help="bound of the median")
    call = parser.parse_args()
    if not call.baseline:
        parser.error("name a commit: --baseline COMMIT, or BASELINE=COMMIT")
    with baseline(call.baseline) as old, tempfile.TemporaryDirectory() as folder:
        frames = Path(folder) / "frames"
        runs = max(RUNS, -(-call.fields // MOST_WELLS))
        simulate(
            frames,
            runs=runs,
            wells=call.fields // runs,
            seed=7,
            size_px=call.size_px,
            time_points=(FINAL_TIME_POINT,),
        )
        took: dict[str, list[float]] = {"old": [], "new": []}
        builds = {"old": old, "new": this_build()}
        for number in range(call.pairs):
            for name in list(builds)[:: -1 if number % 2 else 1]:
                took[name].append(prepare(builds[name], frames / "manifest.csv"))
            print(*(f"{name} {times[-1]:.1f}" for name, times in took.items()), flush=True)
    print(
        f"{processor()}; {runs * (call.fields // runs)} pairs of {call.size_px} x {call.size_px} px"
    )
    ratio = paired_ratio(took["new"], took["old"])
    print(f"new / old  {ratio}, old {sorted(took['old'])[len(took['old']) // 2]:.1f} CPU-s")
    kept = ratio.median <= call.most
    print(f"bound {call.most:g}: {'kept' if kept else 'MISSED'}")
    return 0 if kept else 1


def prepare(build: Build, manifest: Path) -> float:
    """Return the CPU seconds of one `prepare`."""
    script = Path(__file__).parent / "prepare_workload.py"
    return float(build.run(script, manifest))


if __name__ == "__main__":
    sys.exit(main())
