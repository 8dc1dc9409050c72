"""A history of many runs: what commits, pages, status, export and retention cost in it.

    python -m benchmarks.history.many_runs [--frames 1000000] [--keep FOLDER]

One run of 96 wells x 500 time points is recorded frame by frame through the store, and copied in
bulk (`copied.py`; a test compares the copies row by row with runs that were recorded). At 10,000,
100,000, 1,000,000 (and with `--frames 5000000` 5,000,000) frames each question of the daemon and
its dashboard is asked: processor time, and the instructions that SQLite executed for it.

Exits with 1 where a promise is broken:

- processor time: p95 of a commit 10 ms, queries of plate page and status 50 ms, well page 150 ms;
- growth: from 100,000 frames on, the instructions of a question grow at most as the depth of a
  tree does: by the ratio of the logarithms of the numbers of frames, and a twentieth;
- size: 2.5 kB a frame beside its tile scores;
- export and retention take 300 MB at most, measured at 1,000,000 frames.

With fewer frames the run itself is shorter, so that its pages show less: that growth is printed
and not judged.
"""

import argparse
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from math import log
from pathlib import Path
from typing import Final

from benchmarks.history.growing import History, Measured, measure
from benchmarks.history.recorded import record
from benchmarks.history.script import DAYS, Script, configure
from benchmarks.paired.builds import processor
from benchmarks.soak.daemon_process import BUNDLE
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.inference.bundle import load_bundle
from scopewatch.store.schema.engine import DATABASE

SIZES: Final = (10_000, 100_000, 1_000_000, 5_000_000)
BOUNDS_MS: Final = {"commit": 10.0, "plate query": 50.0, "status query": 50.0, "well page": 150.0}
# Frames that are exported: the time of it is proportional, and it would take most of the run.
STREAMED: Final = SIZES[2]
# About the second size, in whole runs.
JUDGED_FROM: Final = SIZES[1] // 2
NOISE: Final = 1.05
# Instructions below which nothing is judged: a tree that is one level deeper.
SLACK: Final = 2_000
EARLY: Final = "early"
BEGAN: Final = datetime(2020, 1, 1, 9, tzinfo=UTC)


def show(measured: Sequence[Measured]) -> None:
    """Print the costs side by side."""
    print(f"{'processor ms (instructions of SQLite)':38}", end="")
    print("".join(f"{each.frames:>22}" for each in measured))
    for name in (*measured[0].cpu_ms, "a time point"):
        cells = []
        for each in measured:
            ms, steps = each.cpu_ms.get(name), each.steps.get(name)
            cells.append(
                ("" if ms is None else f"{ms:.1f}") + ("" if steps is None else f" ({steps})")
            )
        bound = f"  bound {BOUNDS_MS[name]:g}" if name in BOUNDS_MS else ""
        print(f"{name:38}" + "".join(f"{cell:>22}" for cell in cells) + bound, flush=True)


def judge(measured: Sequence[Measured]) -> list[str]:
    """Return what costs too much, and what grows."""
    broken = []
    for each in measured:
        for name, bound_ms in BOUNDS_MS.items():
            if each.cpu_ms[name] > bound_ms:
                broken.append(f"{name} at {each.frames} frames: {each.cpu_ms[name]:.1f} ms")
    judged = [each for each in measured if each.frames >= JUDGED_FROM]
    for each in judged[1:]:
        allowed = NOISE * log(each.frames) / log(judged[0].frames)
        for name, steps in each.steps.items():
            first = judged[0].steps[name]
            if steps > allowed * first + SLACK:
                broken.append(
                    f"{name} grows: {first} instructions at {judged[0].frames} frames,"
                    f" {steps} at {each.frames} (allowed x {allowed:.2f})"
                )
    return broken


def recorded_run(folder: Path, script: Script, card: ModelCard) -> Path:
    """Return the folder of the recorded run; record it where it is not there yet.

    Its database after the first 10,000 frames is kept beside.
    """
    recorded = folder / f"recorded-{script.wells}x{script.time_points}"
    if recorded.is_dir():
        return recorded
    begun = recorded.with_suffix(".part")
    shutil.rmtree(begun, ignore_errors=True)
    config = configure(begun, script, BUNDLE)
    began_s, began_cpu_s = time.perf_counter(), time.process_time()

    def keep(time_points: int) -> None:
        if time_points == early(script).time_points:
            (begun / EARLY).mkdir()
            with (
                closing(sqlite3.connect(config.state.folder / DATABASE)) as source,
                closing(sqlite3.connect(begun / EARLY / DATABASE)) as target,
            ):
                source.backup(target)

    record(config, card, script, keep)
    frames = script.wells * script.time_points
    cpu_s = time.process_time() - began_cpu_s
    print(
        f"{frames} frames recorded in {time.perf_counter() - began_s:.0f} s,"
        f" {1000 * cpu_s / frames:.1f} ms CPU each",
        flush=True,
    )
    begun.rename(recorded)
    return recorded


def early(script: Script) -> Script:
    """Return the first 10,000 frames of a run."""
    return replace(script, time_points=min(SIZES[0] // script.wells, script.time_points))


def main() -> int:
    """Make the history step by step, measure at each, print and judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--wells", type=int, default=96)
    parser.add_argument("--time-points", type=int, default=500, help="of a run of ten days")
    parser.add_argument("--pictures", type=int, default=100_000, help="that retention looks at")
    parser.add_argument("--keep", type=Path, help="where the recorded run lies, or is put")
    call = parser.parse_args()
    script = Script(
        run="run-000",
        began_at=BEGAN,
        wells=call.wells,
        time_points=call.time_points,
        interval_s=round(DAYS * 86_400 / call.time_points),
    )
    card = load_bundle(BUNDLE).card
    print(f"{script.wells} wells x {script.time_points} time points a run, {processor()}")
    with tempfile.TemporaryDirectory(dir=call.keep) as name:
        scratch = Path(name)
        recorded = recorded_run(call.keep or scratch, script, card)
        shutil.copytree(recorded / EARLY, scratch / "early" / "state")
        first = early(script)
        measured = [measure(scratch / "early", first, card, first.wells * first.time_points)]
        history = History(scratch / "history", recorded, script, card)
        sizes = [size for size in SIZES[1:] if size <= call.frames]
        streamed = max((size for size in sizes if size <= STREAMED), default=0)
        broken: list[str] = []
        for frames in sizes:
            history.grow(frames)
            measured.append(history.measure())
            show(measured)
            if frames == streamed:
                broken += history.stream(scratch, call.pictures)
        broken += judge(measured) + history.size()
    for line in broken:
        print(f"BROKEN: {line}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
