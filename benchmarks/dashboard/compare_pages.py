"""Server time of the plate and the well page by two builds over one database, paired.

    python -m benchmarks.dashboard.compare_pages --baseline fe8c2ee [--pairs 15]

The database holds two runs of 96 wells and 500 time points; the newer build reads a copy with its
own schema. The builds take turns. Exits with 1 where the upper end of an interval is above the
bound.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.paired.builds import baseline, processor, this_build
from benchmarks.paired.ratios import paired_ratio

WORKLOAD = Path(__file__).parent / "page_workload.py"


def main() -> int:
    """Compare, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baseline", default=os.environ.get("BASELINE"))
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--wells", type=int, default=96)
    parser.add_argument("--time-points", type=int, default=500)
    parser.add_argument("--times", type=int, default=5, help="requests a page and round")
    parser.add_argument("--most", type=float, default=0.25, help="bound of the upper end")
    call = parser.parse_args()
    if not call.baseline:
        parser.error("name a commit: --baseline COMMIT, or BASELINE=COMMIT")
    with baseline(call.baseline) as old, tempfile.TemporaryDirectory() as folder:
        new = this_build()
        places = {old.name: Path(folder) / "old", new.name: Path(folder) / "new"}
        places[old.name].mkdir()
        old.run(WORKLOAD, "make", places[old.name], call.wells, call.time_points)
        shutil.copytree(places[old.name], places[new.name])
        new.run(WORKLOAD, "open", places[new.name])
        took: dict[str, list[dict[str, float]]] = {old.name: [], new.name: []}
        for number in range(call.pairs):
            for build in (old, new) if number % 2 else (new, old):
                answer = build.run(WORKLOAD, "time", places[build.name], call.times)
                took[build.name].append(json.loads(answer))
            print(".", end="", flush=True)
    print(f"\n{processor()}; {call.wells} wells x {call.time_points} time points, two runs")
    kept = True
    for page in took[new.name][0]:
        mine, theirs = ([each[page] for each in took[name]] for name in (new.name, old.name))
        ratio = paired_ratio(mine, theirs)
        kept &= ratio.high <= call.most
        print(
            f"{page:6} new / old {ratio}: old {1e3 * sorted(theirs)[len(theirs) // 2]:.1f} ms,"
            f" new {1e3 * sorted(mine)[len(mine) // 2]:.1f} ms"
        )
    print(f"bound {call.most:g}: {'kept' if kept else 'MISSED'}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
