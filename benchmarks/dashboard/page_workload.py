"""Time the pages of one build over a database; `compare_pages.py` runs it with each build's code.

    python benchmarks/dashboard/page_workload.py make FOLDER WELLS TIME_POINTS
    python benchmarks/dashboard/page_workload.py open FOLDER
    python benchmarks/dashboard/page_workload.py time FOLDER TIMES

`make` creates a database with the schema of the build and fills it with two runs, `open` migrates
one to the build's schema, `time` prints the median CPU seconds of a request to each page as JSON.
"""

import asyncio
import inspect
import json
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from scopewatch import config
from scopewatch.runtime.supervision.stages import Condition
from scopewatch.store.read.reader import Reader
from scopewatch.web.server import create_app
from tests.conftest import FakeClock
from tests.unit.store.scene import open_store
from tests.unit.web.fakes import FACTS

START = datetime(2026, 1, 1, tzinfo=UTC)
INTERVAL = timedelta(hours=12)
GAP = timedelta(days=50)
RUNS = ("run 1", "run 2")
UNFIT_EVERY = 20
FLAGGED = 5
FORM = "%Y-%m-%d %H:%M:%S.%f"
# Names of one thing, now and in older builds: the settings of a run, and the run that is shown.
RUN_CONFIGS = ("RunConfig", "ExperimentConfig")
RUN_NAMES = ("run", "experiment")
PAGES = {"plate": "/", "well": "/wells/run%202/P1/A1"}


def make(folder: Path, wells: int, time_points: int) -> None:
    """Create and fill a database."""
    open_store(folder, FakeClock()).close()
    with closing(sqlite3.connect(folder / "scopewatch.db")) as connection:
        for number in range(len(RUNS)):
            began = START + number * (time_points * INTERVAL + GAP)
            insert(connection, "runs", run_row(number, began))
            insert(connection, "wells", (well_row(number, well, wells) for well in range(wells)))
            for time_point in range(time_points):
                fill(connection, number, began, wells, time_point, time_points)
        connection.commit()
        connection.execute("analyze")
        connection.commit()


def fill(
    connection: sqlite3.Connection,
    number: int,
    began: datetime,
    wells: int,
    time_point: int,
    time_points: int,
) -> None:
    """Insert the frames of a time point, their results, estimates, outlooks and alerts."""
    judged = []
    for well in range(wells):
        at = (began + time_point * INTERVAL + timedelta(seconds=20 * well)).strftime(FORM)
        frame = 1 + (number * time_points + time_point) * wells + well
        fit = frame % UNFIT_EVERY != 0
        insert(
            connection, "frames", [frame_row(frame, number * wells + well + 1, time_point, at, fit)]
        )
        if fit:
            judged.append((frame, number * wells + well + 1, at))
    day = time_point * INTERVAL / timedelta(days=1)
    insert(connection, "results", (result_row(frame, at, day) for frame, _, at in judged))
    insert(connection, "well_estimates", (estimate(well, time_point, day) for _, well, _ in judged))
    insert(connection, "well_outlooks", (outlook(well, time_point, day) for _, well, _ in judged))
    if time_point == time_points - 1:
        last = [well for _, well, _ in judged][:FLAGGED]
        insert(connection, "alerts", (alert(number, well, wells, began, day) for well in last))


def insert(connection: sqlite3.Connection, table: str, rows: Any) -> None:
    """Insert rows; columns that the table of this build lacks are left out."""
    columns = [row[1] for row in connection.execute(f"pragma table_info({table})")]
    for row in rows:
        known = {name: value for name, value in row.items() if name in columns}
        marks = ",".join("?" * len(known))
        connection.execute(
            f"insert into {table}({','.join(known)}) values({marks})", tuple(known.values())
        )


def run_row(number: int, began: datetime) -> Iterator[dict[str, object]]:
    """Yield the row of a run."""
    at = began.strftime(FORM)
    yield {
        "id": number + 1,
        "name": RUNS[number],
        "first_seen_at": at,
        "simulated": 0,
        "first_frame_at": at,
    }


def well_name(well: int) -> str:
    """Return the name of the well of a number from 0, row by row of a plate of 96."""
    return f"{'ABCDEFGH'[well // 12]}{well % 12 + 1}"


def well_row(number: int, well: int, wells: int) -> dict[str, object]:
    """Return the row of a well."""
    return {
        "id": number * wells + well + 1,
        "run_id": number + 1,
        "plate": "P1",
        "name": well_name(well),
    }


def frame_row(frame: int, well: int, time_point: int, at: str, fit: bool) -> dict[str, object]:
    """Return the row of a frame."""
    return {
        "id": frame,
        "well_id": well,
        "site": 0,
        "time_point": time_point,
        "channel": "phase",
        "source": "folder",
        "locator": f"/x/{frame}",
        "fingerprint": "1",
        "content": "",
        "state": "done" if fit else "quarantined",
        "attempts": 1,
        "fault": None if fit else "out-of-focus",
        "reason": None if fit else f"frame is out of focus: card (got {frame})",
        "seen_at": at,
        "claimed_at": at,
        "settled_at": at,
        "judged_under": "",
        "retried": 0,
    }


def result_row(frame: int, at: str, day: float) -> dict[str, object]:
    """Return the row of a result."""
    return {
        "frame_id": frame,
        "model_id": "0123456789ab",
        "acquired_at": at,
        "elapsed_s": None,
        "day": day,
        "pixel_size_um": 1.0,
        "view_um_per_px": 1.0,
        "positive_fraction": 0.3,
        "efficiency": 0.4,
        "low": 0.3,
        "high": 0.5,
        "corrected": 1,
        "measures": "{}",
        "normalise_ms": 1.0,
        "score_ms": 1.0,
        "total_ms": 1.0,
        "overlay": f"o/{frame}.jpg",
        "stain": None,
    }


def estimate(well: int, time_point: int, day: float) -> dict[str, object]:
    """Return the row of an estimate."""
    return {
        "well_id": well,
        "time_point": time_point,
        "day": day,
        "efficiency": 0.4,
        "low": 0.3,
        "high": 0.5,
        "corrected": 1,
        "n_sites": 1,
    }


def outlook(well: int, time_point: int, day: float) -> dict[str, object]:
    """Return the row of an outlook, with as many errors as the shipped card has."""
    return {
        "well_id": well,
        "time_point": time_point,
        "day": day,
        "now_day": day,
        "now": 0.4,
        "now_low": 0.35,
        "now_high": 0.45,
        "trend_per_day": 0.01,
        "trend_half_width": 0.01,
        "final_day": 300.0,
        "value": 0.6,
        "low": 0.5,
        "high": 0.7,
        "half_width": 0.1,
        "coverage": 0.9,
        "errors": json.dumps([round((index - 49) / 500, 4) for index in range(99)]),
        "cause": None,
        "reason": None,
    }


def alert(number: int, well: int, wells: int, began: datetime, day: float) -> dict[str, object]:
    """Return the row of an open alert."""
    return {
        "experiment": RUNS[number],
        "plate": "P1",
        "well": well_name((well - 1) % wells),
        "rule": "weak",
        "kind": "weak-now",
        "severity": "warning",
        "raised_at": (began + timedelta(days=day)).strftime(FORM),
        "raised_time_point": 1,
        "raised_day": day,
        "evidence": json.dumps({"now": {"value": 0.4, "low": 0.3, "high": 0.5}, "target": 0.5}),
    }


def measure(folder: Path, times: int) -> dict[str, float]:
    """Return the median CPU seconds that a request to each page takes."""
    reader = Reader.open(folder)
    newest = max(row.last_frame_at for row in reader.wells() if row.last_frame_at is not None)
    clock = FakeClock()
    clock.wall = newest + timedelta(minutes=20)
    given: dict[str, Any] = {
        "reader": reader,
        "overlay_folder": folder,
        "alerts": None,
        "health": lambda: Condition(ready=True, complaints=()),
        "waiting": lambda: 0,
        "registry": CollectorRegistry(),
        "facts": replace(FACTS, **{name: RUNS[-1] for name in RUN_NAMES if hasattr(FACTS, name)}),
        "clock": clock,
        "token": "t",
    }
    # Builds differ: older ones take the parts one by one, the oldest have no run states.
    parameters = inspect.signature(create_app).parameters
    if "states" in parameters or "context" in parameters:
        states = import_module("scopewatch.app.run_states")
        run_config = next(getattr(config, name) for name in RUN_CONFIGS if hasattr(config, name))
        settings = run_config(name=RUNS[-1], final_day=300)
        given["states"] = states.RunStates(reader, settings, clock=clock)
    if "context" in parameters:
        contexts = import_module("scopewatch.web.dashboard_context")
        return asyncio.run(ask(create_app(contexts.DashboardContext(**given)), times))
    return asyncio.run(ask(create_app(**given), times))


async def ask(app: Any, times: int) -> dict[str, float]:
    """Request each page in turn; the first requests, which fill caches, do not count."""
    took: dict[str, list[float]] = {page: [] for page in PAGES}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as client:
        for _ in range(times + 1):
            for page, address in PAGES.items():
                began = time.process_time()
                answer = await client.get(address)
                took[page].append(time.process_time() - began)
                if answer.status_code != 200:
                    raise SystemExit(f"{address}: {answer.status_code}: {answer.text[:500]}")
    return {page: median(each[1:]) for page, each in took.items()}


def main(arguments: list[str]) -> None:
    """Run the command of the call."""
    what, folder, *numbers = arguments
    if what == "make":
        make(Path(folder), int(numbers[0]), int(numbers[1]))
    elif what == "open":
        open_store(Path(folder), FakeClock()).close()
    else:
        print(json.dumps(measure(Path(folder), int(numbers[0]))))


if __name__ == "__main__":
    main(sys.argv[1:])
