"""A history that is made in bulk holds what the store would have written frame by frame."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Table, select

from benchmarks.history.copied import Copy, copy_runs
from benchmarks.history.recorded import record
from benchmarks.history.script import Script, configure
from benchmarks.soak.daemon_process import BUNDLE
from scopewatch.inference.bundle import load_bundle
from scopewatch.store.schema.alert_tables import Alert
from scopewatch.store.schema.columns import Base
from scopewatch.store.schema.engine import open_writer
from scopewatch.store.schema.tables import FrameRow, Run, Well

BEGAN = datetime(2026, 1, 1, 9, tzinfo=UTC)
DAYS = 12
# Names an event by its run: it differs where the run does, and need only be another one.
GENERATED = {("outbox", "idempotency_key")}


def of_run(table: Table, run: str) -> ColumnElement[bool] | None:
    """The condition for the rows of a run; None of a table that holds none of one."""
    number = select(Run.id).where(Run.name == run)
    wells = select(Well.id).where(Well.run_id.in_(number))
    frames = select(FrameRow.id).where(FrameRow.well_id.in_(wells))
    alerts = select(Alert.id).where(Alert.experiment == run)
    owners: dict[str, Callable[[ColumnElement[Any]], ColumnElement[bool]]] = {
        "run_id": lambda column: column.in_(number),
        "well_id": lambda column: column.in_(wells),
        "frame_id": lambda column: column.in_(frames),
        "alert_id": lambda column: column.in_(alerts),
        "experiment": lambda column: column == run,
        "run": lambda column: column == run,
    }
    if table.name == "runs":
        return table.c.name == run
    if table.name == "refusals":
        return table.c.locator.contains(run)
    return next((owners[name](table.c[name]) for name in owners if name in table.c), None)


def rows_of(folder: Path, run: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of a run by table, their keys counted from its first row."""
    engine = open_writer(folder)
    found = {}
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            condition = of_run(table, run)
            if condition is not None:
                query = select(table).where(condition).order_by(*table.primary_key.columns)
                found[table.name] = [dict(row) for row in connection.execute(query).mappings()]
    engine.dispose()
    firsts = {name: rows[0]["id"] for name, rows in found.items() if rows and "id" in rows[0]}
    owners = {"well_id": "wells", "run_id": "runs", "frame_id": "frames", "alert_id": "alerts"}
    for name, rows in found.items():
        for row in rows:
            for key in row:
                owner = name if key == "id" else owners.get(key)
                if owner is not None and row[key] is not None:
                    row[key] -= firsts[owner]
                elif (name, key) in GENERATED:
                    row[key] = ""
    return found


@pytest.mark.parametrize(("wells", "time_points"), [(6, 40)])
def test_a_copied_run_is_row_by_row_what_the_store_records_under_that_name(
    tmp_path: Path, wells: int, time_points: int
) -> None:
    card = load_bundle(BUNDLE).card
    for name, began_at in (("run-000", BEGAN), ("run-001", BEGAN + timedelta(days=DAYS))):
        script = Script(
            run=name, began_at=began_at, wells=wells, time_points=time_points, interval_s=21_600
        )
        config = configure(tmp_path, script, BUNDLE)
        record(config, card, script)
        config.state.folder.rename(tmp_path / name)
    copied, recorded = tmp_path / "run-000", tmp_path / "run-001"
    before = rows_of(copied, "run-000")
    copy_runs(copied, [Copy(of="run-000", name="run-001", days=DAYS, number=1)])
    expected, found = rows_of(recorded, "run-001"), rows_of(copied, "run-001")
    assert found.keys() == expected.keys()
    for table, rows in expected.items():
        assert found[table] == rows, table
    assert rows_of(copied, "run-000") == before
    # Each kind of row is there.
    assert {table for table, rows in found.items() if not rows} == set()
