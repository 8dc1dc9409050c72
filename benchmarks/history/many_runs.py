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
- export and retention take 300 MB at most.

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
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import log
from pathlib import Path
from typing import Final

from benchmarks.history.asking import count_all, time_all, time_commits
from benchmarks.history.copied import Copy, copy_runs
from benchmarks.history.filled import GRID
from benchmarks.history.lab import opened
from benchmarks.history.recorded import DAYS, Script, configure, record
from benchmarks.history.streaming import SIZE_BYTES, export, make_pictures, remove_pictures
from benchmarks.paired.builds import processor
from benchmarks.soak.daemon_process import BUNDLE
from scopewatch.core.imaging.model_card import ModelCard
from scopewatch.inference.bundle import load_bundle
from scopewatch.store.schema.engine import DATABASE

GAP_DAYS: Final = int(DAYS) + 2
SIZES: Final = (10_000, 100_000, 1_000_000, 5_000_000)
BOUNDS_MS: Final = {"commit": 10.0, "plate query": 50.0, "status query": 50.0, "well page": 150.0}
# About the second size, in whole runs.
JUDGED_FROM: Final = SIZES[1] // 2
NOISE: Final = 1.05
# Instructions below which nothing is judged: a tree that is one level deeper.
SLACK: Final = 2_000
BYTES: Final = 2_500.0
MOST_MB: Final = 300.0
COMMITTED: Final = 2
EARLY: Final = "early"
BEGAN: Final = datetime(2020, 1, 1, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The costs of all questions at a number of frames, by name."""

    frames: int
    cpu_ms: dict[str, float]
    steps: dict[str, int]


class History:
    """A database that grows by copies of a recorded run.

    Parameters
    ----------
    folder
        Where it lies; empty.
    recorded
        The folder of the recorded run.
    """

    def __init__(self, folder: Path, recorded: Path, script: Script, card: ModelCard) -> None:
        self.folder = folder
        self._first = script
        self._card = card
        self._runs = 1
        shutil.copytree(recorded, folder)

    @property
    def frames(self) -> int:
        """How many frames there are; those of fluorescence are not counted."""
        return self._runs * self._first.wells * self._first.time_points

    @property
    def database(self) -> Path:
        """The database."""
        return self.folder / "state" / DATABASE

    def grow(self, frames: int) -> None:
        """Copy the recorded run until there are about so many frames."""
        runs = max(round(frames / (self._first.wells * self._first.time_points)), self._runs)
        copies = [
            Copy(of=self._first.run, name=self._script(run).run, days=GAP_DAYS * run, number=run)
            for run in range(self._runs, runs)
        ]
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        copy_runs(self.folder / "state", copies)
        before, self._runs = self.frames, runs
        cpu_s = time.process_time() - began_cpu_s
        print(
            f"{self.frames} frames of {runs} runs; {self.frames - before} copied in"
            f" {time.perf_counter() - began_s:.0f} s ({cpu_s:.0f} s CPU)",
            flush=True,
        )

    def measure(self) -> Measured:
        """Ask everything at the end of the newest run."""
        return measure(self.folder, self._script(self._runs - 1), self._card, self.frames)

    def stream(self, scratch: Path, pictures: int) -> list[str]:
        """Export the history and let retention look at pictures; return the broken promises."""
        config, broken = self.folder / "config.yaml", []
        for form in ("csv", "json"):
            took = export(config, form, scratch / f"export.{form}")
            print(
                f"export {form}: {took.cpu_s:.0f} s CPU, {1e6 * took.cpu_s / self.frames:.0f} us a"
                f" frame, {took.size_mb:.0f} MB written, peak {took.peak_mb:.0f} MB of memory"
            )
            broken += over(f"export {form}", took.peak_mb)
        for count in (pictures // 10, pictures):
            folder = scratch / f"pictures-{count}"
            make_pictures(folder, count)
            took = remove_pictures(folder, count * SIZE_BYTES / 2e9)
            print(
                f"retention, {count} pictures, half of them removed: {took.cpu_s:.1f} s CPU,"
                f" peak {took.peak_mb:.0f} MB of memory"
            )
            broken += over("retention", took.peak_mb)
            shutil.rmtree(folder)
        return broken

    def size(self) -> list[str]:
        """Print the size of a frame; return the broken promises."""
        with closing(sqlite3.connect(self.database)) as connection:
            (whole,) = connection.execute(
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            ).fetchone()
            (tiles,) = connection.execute(
                "SELECT avg(length(probability) + length(valid))"
                " FROM (SELECT * FROM tile_scores LIMIT 10000)"
            ).fetchone()
        frame = whole / self.frames
        print(
            f"size: {whole / 1e9:.2f} GB, {frame:.0f} bytes a frame, of which {tiles:.0f} are tile"
            f" scores of {GRID.rows} x {GRID.cols} tiles (bound of the rest {BYTES:g})"
        )
        return [f"a frame takes {frame - tiles:.0f} bytes"] if frame - tiles > BYTES else []

    def _script(self, run: int) -> Script:
        began_at = self._first.began_at + timedelta(days=GAP_DAYS * run)
        return replace(self._first, run=f"run-{run:03d}", began_at=began_at)


def measure(folder: Path, script: Script, card: ModelCard, frames: int) -> Measured:
    """Ask everything of a database at the end of a run of it."""
    config = configure(folder, script, BUNDLE)
    with opened(config, card, script) as lab:
        cpu_ms = time_all(lab)
        steps = count_all(lab)
        cpu_ms |= time_commits(lab, script.time_points + 1, COMMITTED)
    return Measured(frames=frames, cpu_ms=cpu_ms, steps=steps)


def over(what: str, peak_mb: float) -> list[str]:
    """Return a line where something takes more memory than it may."""
    return [f"{what} takes {peak_mb:.0f} MB of memory"] if peak_mb > MOST_MB else []


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
        for frames in (size for size in SIZES[1:] if size <= call.frames):
            history.grow(frames)
            measured.append(history.measure())
            show(measured)
        broken = judge(measured) + history.size() + history.stream(scratch, call.pictures)
    for line in broken:
        print(f"BROKEN: {line}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
