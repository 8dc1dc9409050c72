"""A database that grows by copies of a recorded run, and what is asked of it at each size."""

import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from benchmarks.history.asking import count_all, time_all, time_commits
from benchmarks.history.copied import Copy, copy_runs
from benchmarks.history.lab import opened
from benchmarks.history.made_up import GRID
from benchmarks.history.script import DAYS, Script, configure
from benchmarks.history.streaming import SIZE_BYTES, export, make_pictures, remove_pictures
from benchmarks.soak.daemon_process import BUNDLE
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.store.schema.engine import DATABASE

GAP_DAYS: Final = int(DAYS) + 2
BYTES: Final = 2_500.0
MOST_MB: Final = 300.0
COMMITTED: Final = 2


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
