"""Compares copies of a run, row by row, with frames that took the real path.

    python -m benchmarks.history.real_rows [--frames 10000] [--taken FOLDER]

A daemon takes frames of 128 px of one run, and another daemon the same frames of a run of another
name, some days later. The first run is copied in bulk as histories of many runs are made
(`copied.py`), and each row of a frame of the copy is compared with what the second daemon wrote:
its names, states, results, measures, scores of tiles, estimates and forecasts. Times may differ by
some intervals, since the two daemons were not equally fast; durations of work by anything; and of
the settings that a frame was judged under the model alone is compared, since folders differ.

FOLDER is that of a whole run that goes on, or is over (`whole_run.py`): its first frames are
compared, and only the second daemon is started. Exits with 1 where a row differs.
"""

import argparse
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml
from sqlalchemy import Table, select

from benchmarks.history.copied import Copy, copy_runs
from benchmarks.history.plate_on_disk import Plate, configure
from benchmarks.history.process_watch import Watched
from benchmarks.history.webhook import webhook
from benchmarks.history.whole_run import settle
from benchmarks.paired.builds import processor
from scopewatch.store.schema.columns import Base
from scopewatch.store.schema.engine import open_reader
from scopewatch.store.schema.place import DATABASE
from scopewatch.store.schema.tables import FrameRow, Result, Run, TileScoresRow, Well
from scopewatch.store.schema.well_tables import WellEstimate, WellOutlook

DAYS: Final = 30
FIRST: Final = "history"
SECOND: Final = "histor2"
OF_A_FRAME: Final[tuple[type[Base], ...]] = (
    *(FrameRow, Result, TileScoresRow, WellEstimate, WellOutlook),
)
# The clock moves on by one while frames of the two time points before may be under way.
SLACK_INTERVALS: Final = 3
# Keys of the database, and what is as long as the work took.
_KEYS: Final = frozenset({"id", "well_id", "frame_id"})
_MEASURED: Final = frozenset({"normalise_ms", "score_ms", "total_ms"})
_SHOWN: Final = 20

Row = dict[str, Any]


def main() -> int:
    """Take, copy, compare and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--wells", type=int, default=96)
    parser.add_argument("--interval-h", type=float, default=0.25)
    parser.add_argument("--taken", type=Path, help="folder of a whole run of as many wells")
    parser.add_argument("--folder", type=Path, help="where its files lie; removed at the end")
    call = parser.parse_args()
    time_points = -(-call.frames // call.wells)
    root = Path(tempfile.mkdtemp(prefix="scopewatch-real-rows-", dir=call.folder))
    try:
        taken = call.taken
        if taken is None:
            taken = root / FIRST
            taken.mkdir()
            take(Plate(taken, wells=call.wells, interval_h=call.interval_h, run=FIRST), time_points)
        later = root / SECOND
        later.mkdir()
        plate = Plate(
            later,
            wells=call.wells,
            interval_h=call.interval_h,
            run=SECOND,
            began_at=began(taken) + timedelta(days=DAYS),
        )
        take(plate, time_points)
        copied = root / "copied"
        copied.mkdir()
        with (
            closing(sqlite3.connect(taken / "state" / DATABASE)) as source,
            closing(sqlite3.connect(copied / DATABASE)) as target,
        ):
            source.backup(target)
        copy_runs(copied, [Copy(of=FIRST, name=SECOND, days=DAYS, number=1)])
        differ, compared = compare(copied, plate, time_points)
    finally:
        shutil.rmtree(root)
    print(
        f"{time_points * call.wells} frames that took the real path, {processor()}: "
        + ", ".join(f"{count} rows of {table}" for table, count in compared.items())
        + f" compared, {sum(differ.values())} values differ"
    )
    for (table, column, example), count in differ.most_common(_SHOWN):
        print(f"BROKEN: {table}.{column} differs in {count} rows, for example {example}")
    return 1 if differ else 0


def began(taken: Path) -> datetime:
    """Return when a run began, by the configuration in its folder."""
    settings = yaml.safe_load((taken / "config.yaml").read_text(encoding="utf-8"))
    return datetime.fromisoformat(settings["experiment"]["started_at"])


def take(plate: Plate, time_points: int) -> None:
    """Have a daemon score so many time points of a plate."""
    with webhook() as messages:
        daemon = Watched.start(plate, configure(plate, messages.url))
        try:
            for time_point in range(time_points):
                plate.take(time_point)
                settle(plate, daemon, time_point * plate.wells)
            settle(plate, daemon, time_points * plate.wells)
            daemon.end()
        finally:
            daemon.kill()


def compare(
    copied: Path, plate: Plate, time_points: int
) -> tuple[Counter[tuple[str, str, str]], dict[str, int]]:
    """Compare the rows of all frames.

    Returns
    -------
    How many values differ, by table, column and the first example; and how many rows there are.
    """
    differ: Counter[tuple[str, str, str]] = Counter()
    examples: dict[tuple[str, str], str] = {}
    compared = {}
    slack = SLACK_INTERVALS * timedelta(hours=plate.interval_h)
    for kind in OF_A_FRAME:
        table = Base.metadata.tables[kind.__tablename__]
        expected = rows_of(plate.database.parent, table, time_points)
        found = rows_of(copied, table, time_points)
        compared[table.name] = len(expected)
        for key in expected.keys() | found.keys():
            one, other = expected.get(key, {}), found.get(key, {})
            for column in one.keys() | other.keys():
                if not alike(column, one.get(column), other.get(column), slack):
                    text = f"{key}: expected {one.get(column)!r}, got {other.get(column)!r}"
                    example = examples.setdefault((table.name, column), text)
                    differ[table.name, column, example] += 1
    return differ, compared


def rows_of(folder: Path, table: Table, time_points: int) -> dict[str, Row]:
    """Return the rows of the first time points of the second run, by their frames."""
    columns = [column for column in table.columns if column.name not in _KEYS]
    names = [column.name for column in columns]
    query = (
        select(Well.plate, Well.name, FrameRow.site, FrameRow.time_point, FrameRow.channel)
        .add_columns(*columns)
        .select_from(FrameRow)
        .join(Well, Well.id == FrameRow.well_id)
        .join(Run, Run.id == Well.run_id)
        .where(Run.name == SECOND, FrameRow.time_point < time_points)
    )
    if "frame_id" in table.c:
        query = query.join(table, table.c.frame_id == FrameRow.id)
    elif table is not FrameRow.__table__:
        same_time = table.c.time_point == FrameRow.time_point
        query = query.join(table, (table.c.well_id == FrameRow.well_id) & same_time)
    engine = open_reader(folder)
    try:
        with engine.connect() as connection:
            return {
                f"{plate} {well} site {site} time point {time_point} {channel}": dict(
                    zip(names, values, strict=True)
                )
                for plate, well, site, time_point, channel, *values in connection.execute(query)
            }
    finally:
        engine.dispose()


def alike(column: str, expected: Any, found: Any, slack: timedelta) -> bool:
    """Return whether two values are of the same frame, scored twice."""
    if isinstance(expected, datetime) and isinstance(found, datetime):
        return abs(expected - found) <= slack
    if column in _MEASURED:
        return type(expected) is type(found) and found >= 0
    if column == "fingerprint" and expected is not None and found is not None:
        # Size and time of the file: it was written a second time.
        return bool(expected.split(":")[0] == found.split(":")[0])
    if column == "judged_under" and expected and found:
        return bool(expected.split("/")[2] == found.split("/")[2])
    return bool(expected == found)


if __name__ == "__main__":
    sys.exit(main())
