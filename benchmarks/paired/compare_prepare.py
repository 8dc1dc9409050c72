"""`prepare` of simulated pairs of 1024 x 1024 px by two builds: CPU time, paired.

    python benchmarks/paired/compare_prepare.py --baseline 70cc8e1c [--pairs 6] [--fields 40]

The same pairs for both, in processes that take turns; imports before the command are not counted.
Of more fields than `--simulated` the others are these turned and mirrored. `--frames DIR` keeps the
pictures there, and takes those that are there. Exits with 1 where the median is above the bound.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from builds import Build, baseline, processor, this_build
from ratios import paired_ratio
from turned_pairs import TURNS, turn_pairs

from scopewatch_simulator.plan import FINAL_TIME_POINT
from scopewatch_simulator.simulate import simulate

RUNS = 2
MOST_SIMULATED = 96


def main() -> int:
    """Compare, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baseline", default=os.environ.get("BASELINE"))
    parser.add_argument("--pairs", type=int, default=6, help="of measurements")
    parser.add_argument("--fields", type=int, default=40)
    parser.add_argument("--size-px", type=int, default=1024)
    parser.add_argument("--most", type=float, default=1.1, help="bound of the median")
    parser.add_argument("--simulated", type=int, default=MOST_SIMULATED, help="fields of their own")
    parser.add_argument("--frames", type=Path, help="folder of the pictures")
    call = parser.parse_args()
    if not call.baseline:
        parser.error("name a commit: --baseline COMMIT, or BASELINE=COMMIT")
    runs = max(RUNS, -(-call.fields // min(call.simulated, MOST_SIMULATED)))
    if runs > len(TURNS):
        parser.error(f"{call.fields} fields are more than {len(TURNS)} ways to turn each")
    wells = call.fields // runs
    with baseline(call.baseline) as old, tempfile.TemporaryDirectory() as folder:
        frames = call.frames or Path(folder) / "frames"
        manifest = frames / "manifest.csv"
        if not manifest.is_file():
            simulate(
                frames,
                runs=1,
                wells=wells,
                seed=7,
                size_px=call.size_px,
                time_points=(FINAL_TIME_POINT,),
            )
        pairs = turn_pairs(manifest, runs)
        took: dict[str, list[float]] = {"old": [], "new": []}
        builds = {"old": old, "new": this_build()}
        for number in range(call.pairs):
            for name in list(builds)[:: -1 if number % 2 else 1]:
                took[name].append(prepare(builds[name], pairs))
            print(*(f"{name} {times[-1]:.1f}" for name, times in took.items()), flush=True)
        count = len(pairs.read_text(encoding="utf-8").splitlines()) - 1
    print(
        f"{processor()}; {count} pairs, {count // runs} simulated and turned in {runs} ways,"
        f" {call.size_px} x {call.size_px} px"
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
