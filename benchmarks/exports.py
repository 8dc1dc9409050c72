"""The cost of exporting a large history: time, first byte, memory.

    python -m benchmarks.exports --wells 96 --time-points 500

Fills a database with judged frames, one field of view per well and time point, and exports it to a
file with the command line, in a process of its own. Prints seconds, megabytes and rows.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.engine import open_writer, transaction
from scopewatch.store.schema.tables import FrameRow, Result, Run, Well
from scopewatch.store.schema.well_tables import WellEstimate, WellOutlook

BEGAN = datetime(2026, 3, 1, 9, tzinfo=UTC)
CONFIG = """
experiment: {name: long run, interval_h: 0.5}
model: {bundle: none}
sources: [{kind: folder, path: in}]
state: {folder: state}
web: {enabled: false}
"""
_AT_ONCE = 5000


def fill(folder: Path, wells: int, time_points: int) -> None:
    """Create a database with a judged frame of each well at each time point."""
    engine = open_writer(folder)
    with transaction(engine) as session:
        session.add(Run(id=1, name="long run", first_seen_at=BEGAN, simulated=True))
        names = [f"{'ABCDEFGH'[n // 12 % 8]}{n % 12 + 1}" for n in range(wells)]
        session.execute(
            insert(Well),
            [
                {"id": n + 1, "run_id": 1, "plate": f"P{n // 96 + 1}", "name": name}
                for n, name in enumerate(names)
            ],
        )
        every = [(well, time) for time in range(time_points) for well in range(1, wells + 1)]
        numbered = list(enumerate(every, start=1))
        _insert(session, FrameRow, (_frame(n, well, time) for n, (well, time) in numbered))
        _insert(session, Result, (_result(n, time) for n, (_, time) in numbered))
        _insert(session, WellEstimate, (_estimate(well, time) for well, time in every))
        _insert(session, WellOutlook, (_outlook(well, time) for well, time in every))
    engine.dispose()


def _insert(session: Session, table: type[Any], rows: Iterator[dict[str, Any]]) -> None:
    while batch := list(islice(rows, _AT_ONCE)):
        session.execute(insert(table), batch)


def _frame(number: int, well: int, time_point: int) -> dict[str, Any]:
    at = BEGAN + timedelta(minutes=30 * time_point)
    return {
        "id": number,
        "well_id": well,
        "site": 0,
        "time_point": time_point,
        "channel": "phase",
        "source": "folder",
        "locator": f"P1/{well:03d}_t{time_point:04d}_phase.tif",
        "fingerprint": f"524416:{number}",
        "state": FrameState("done"),
        "attempts": 1,
        "seen_at": at,
        "claimed_at": at,
        "settled_at": at,
    }


def _result(number: int, time_point: int) -> dict[str, Any]:
    return {
        "frame_id": number,
        "model_id": "0123456789ab",
        "acquired_at": BEGAN + timedelta(minutes=30 * time_point),
        "day": time_point / 48,
        "pixel_size_um": 1.0,
        "view_um_per_px": 1.0,
        "positive_fraction": 0.4,
        "efficiency": 0.4,
        "low": 0.3,
        "high": 0.5,
        "corrected": True,
        "measures": {"focus": 0.5, "contrast": 0.2},
        "normalise_ms": 3.0,
        "score_ms": 50.0,
        "total_ms": 60.0,
        "overlay": f"long-run/{number}.jpg",
    }


def _estimate(well: int, time_point: int) -> dict[str, Any]:
    return {
        "well_id": well,
        "time_point": time_point,
        "day": time_point / 48,
        "efficiency": 0.4,
        "low": 0.3,
        "high": 0.5,
        "corrected": True,
        "n_sites": 1,
    }


def _outlook(well: int, time_point: int) -> dict[str, Any]:
    day = time_point / 48
    return {
        "well_id": well,
        "time_point": time_point,
        "day": day,
        "now_day": day,
        "now": 0.4,
        "now_low": 0.3,
        "now_high": 0.5,
        "trend_per_day": 0.01,
        "trend_half_width": 0.02,
        "final_day": 10.0,
        "value": 0.5,
        "low": 0.3,
        "high": 0.7,
        "half_width": 0.2,
        "coverage": 0.9,
        "errors": [-0.1, -0.05, 0.0, 0.05, 0.1],
    }


def export(folder: Path, file_format: str) -> tuple[float, float, float, float]:
    """Export once; return seconds, processor seconds, megabytes written and megabytes of memory."""
    out = folder / f"results.{file_format}"
    command = [sys.executable, "-m", "scopewatch", "export", "-c", str(folder / "config.yaml")]
    began, cpu_s = time.monotonic(), _children_s()
    subprocess.run(
        [*command, "--format", file_format, "--out", str(out)], check=True, capture_output=True
    )
    took_s = time.monotonic() - began
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    size_mb = out.stat().st_size / 1e6
    out.unlink()
    return took_s, _children_s() - cpu_s, size_mb, peak_mb


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print one row for each format and round."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wells", type=int, default=96)
    parser.add_argument("--time-points", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
        fill(folder / "state", given.wells, given.time_points)
        print(f"{given.wells * given.time_points} frames")
        print("| format | s | CPU-s | MB written | MB of memory at most, so far |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for file_format in ("csv", "json"):
            for _ in range(given.rounds):
                took_s, cpu_s, size_mb, peak_mb = export(folder, file_format)
                figures = f"{took_s:.1f} | {cpu_s:.1f} | {size_mb:.0f} | {peak_mb:.0f}"
                print(f"| {file_format} | {figures} |")


if __name__ == "__main__":
    main()
