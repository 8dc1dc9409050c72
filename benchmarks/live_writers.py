"""Measures whether, and how soon, the daemon scores what each acquisition program writes.

    python -m benchmarks.live_writers                      # all writers
    python -m benchmarks.live_writers --short              # fewer wells and time points
    python -m benchmarks.live_writers --only ome-tiff ndtiff

A real pymmcore-plus acquisition over a 96-well plan (4 wells x 2 sites x 6 time points x 2
channels, DemoCamera, simulated pixels) is written by one writer after the other while the real
daemon follows, and once more by a writer that is killed in the middle. Latency counts from the
moment at which a frame was complete and named on disk to its commit. Exits with 1 where a promise
is broken.
"""

import argparse
import os
import random
import statistics
import sys
import tempfile
from pathlib import Path

from tests.writers.cases import CASES, Case
from tests.writers.following import Followed, Stage, follow, set_stage
from tests.writers.plan import Plan

BUNDLE = Path(__file__).resolve().parents[1] / "models" / "simulated-cardiomyocyte"

# A frame needs some milliseconds from the camera to the disk.
KILL_WITHIN_S = 0.015

HEADINGS = ("frames", "once", "wrong", "again", "missing", "refused")


def main() -> int:
    """Follow every writer, print one row each, and list the broken promises."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="2 wells, 3 time points")
    parser.add_argument("--only", nargs="+", choices=[case.writer for case in CASES], default=[])
    parser.add_argument("--rescan-s", type=float, default=10, help="how often it scans")
    parser.add_argument("--kills", type=int, default=1, help="killed runs of each writer")
    parser.add_argument("--keep", type=Path, help="leave data, databases and logs in this folder")
    call = parser.parse_args()
    plan = Plan(wells=2, times=3, interval_s=3) if call.short else Plan(interval_s=6)
    cases = [case for case in CASES if not call.only or case.writer in call.only]
    broken: list[str] = []
    with tempfile.TemporaryDirectory(prefix="live-writers-") as folder:
        root = call.keep or Path(folder)
        root.mkdir(parents=True, exist_ok=True)
        stage = set_stage(root, plan, BUNDLE, rescan_s=call.rescan_s)
        print(f"{sum(1 for _ in plan.places())} frames, {len(stage.judged)} of them phase;")
        print(
            f"rescan_s {stage.rescan_s:g}; {os.cpu_count()} cores; seconds from written to scored"
        )
        titles = "".join(f"{title:>9}" for title in HEADINGS)
        print(f"{'':<30}{titles}{'p50':>8}{'p95':>8}{'max':>8}{'promised':>10}", flush=True)
        for case in cases:
            for run in range(call.kills + 1):
                broken += try_writer(case, root, stage, run)
    print("\n".join(f"BROKEN: {line}" for line in broken) or "0 broken promises")
    return 1 if broken else 0


def try_writer(case: Case, root: Path, stage: Stage, run: int) -> list[str]:
    """Follow one run of a writer and print its row; return the promises that it broke.

    Parameters
    ----------
    run
        0 lets the writer finish; any other number kills it, each at another moment.
    """
    name = f"{case.writer}, killed {run}" if run else case.writer
    folder = root / name.replace(", ", "-").replace(" ", "-")
    folder.mkdir()
    rng = random.Random(run)
    plan = stage.plan
    somewhere = plan.place(
        time_point=rng.randrange(plan.times // 2, plan.times),
        position=rng.randrange(plan.wells * plan.sites),
        channel=0,
    )
    options = {"kill_at": somewhere, "kill_after_s": rng.uniform(0, KILL_WITHIN_S)} if run else {}
    try:
        followed = follow(case, folder, stage, **options)
    except (RuntimeError, TimeoutError) as error:
        print(f"{name:<30} {error}", flush=True)
        return [f"{name}: {error}"]
    print(f"{name:<30}{row(followed)}", flush=True)
    return [f"{name}: {line}" for line in followed.broken + followed.late]


def row(followed: Followed) -> str:
    """Print the figures of one run in columns."""
    figures = (
        followed.expected,
        len(followed.took_s),
        *map(len, (followed.wrong, followed.again, followed.missing, followed.refused)),
    )
    counted = "".join(f"{figure:>9}" for figure in figures)
    seconds = sorted(followed.took_s.values())
    if not seconds:
        return f"{counted}{'-':>8}{'-':>8}{'-':>8}{followed.promised_s:>10g}"
    p50, p95 = statistics.median(seconds), seconds[int(0.95 * (len(seconds) - 1))]
    return f"{counted}{p50:>8.2f}{p95:>8.2f}{seconds[-1]:>8.2f}{followed.promised_s:>10g}"


if __name__ == "__main__":
    sys.exit(main())
