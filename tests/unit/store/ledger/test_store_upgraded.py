"""Databases of earlier schemas are migrated in the middle of a run."""

import json
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine

from scopewatch.core.tickets import Mark
from scopewatch.store.read.reader import Reader
from scopewatch.store.schema.migrating import alembic_config
from scopewatch.store.schema.migrations import SCHEMA
from tests.conftest import FakeClock
from tests.unit.store.scene import START, Scene, key, open_store, read_rows, ticket
from tests.unit.store.test_store_migration import make_database


@pytest.fixture(params=["0004", "0005", "0006"])
def schema(request: pytest.FixtureRequest) -> str:
    """The schema version of the database."""
    return str(request.param)


@pytest.fixture
def before(tmp_path: Path, clock: FakeClock, schema: str) -> Path:
    """A run of three weak time points as that version left it: open alert, waiting message.

    The rows of today's code are copied, column by column, into tables of the old schema.
    """
    now = tmp_path / "now"
    scene = Scene(store=open_store(now, clock), folder=now)
    for time_point in range(3):
        scene.score(key("A1", time_point), 0.1, fingerprint=f"size:{time_point}")
    scene.spoil(key("A1", 3), fingerprint="size:3")
    scene.store.close()
    old = tmp_path / "old"
    old.mkdir()
    database = make_database(old, schema)
    database.execute("PRAGMA foreign_keys=OFF")
    database.execute("ATTACH ? AS now", (str(now / "scopewatch.db"),))
    names = [
        name
        for (name,) in database.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")
        if name != "alembic_version"
    ]
    for name in names:
        known = {column for _, column, *_ in database.execute(f"PRAGMA now.table_info({name})")}
        kept = [
            column
            for _, column, *_ in database.execute(f"PRAGMA main.table_info({name})")
            if column in known
        ]
        columns = ", ".join(kept)
        database.execute(f"INSERT INTO main.{name} ({columns}) SELECT {columns} FROM now.{name}")
    _lengthen_states(database)
    database.close()
    return old


def _lengthen_states(database: sqlite3.Connection) -> None:
    """Give each state all time points of its well, as those versions did."""
    points = [
        {
            "day": day,
            "efficiency": efficiency,
            "half_width": max(high - efficiency, efficiency - low),
        }
        for day, efficiency, low, high in database.execute(
            "SELECT day, efficiency, low, high FROM main.well_estimates ORDER BY time_point"
        )
    ]
    for number, packed in database.execute("SELECT rowid, state FROM main.rule_states").fetchall():
        state = json.loads(packed)
        state["last"]["evidence"]["points"] = points
        database.execute(
            "UPDATE main.rule_states SET state = ? WHERE rowid = ?", (json.dumps(state), number)
        )


def schema_of(folder: Path) -> str:
    ((version,),) = read_rows(folder, "SELECT version_num FROM alembic_version")
    return str(version)


def test_all_it_holds_is_kept(before: Path, clock: FakeClock, schema: str) -> None:
    assert schema_of(before) == schema
    held = {
        table: read_rows(before, f"SELECT count(*) FROM {table}")
        for table in ("frames", "results", "tile_scores", "well_estimates", "alerts", "outbox")
    }
    assert held["alerts"] == held["outbox"] == [(1,)]
    open_store(before, clock).close()
    assert schema_of(before) == SCHEMA
    assert {table: read_rows(before, f"SELECT count(*) FROM {table}") for table in held} == held
    assert read_rows(before, "PRAGMA foreign_key_check") == []
    assert read_rows(before, "PRAGMA integrity_check") == [("ok",)]
    reader = Reader.open(before)
    (alert,) = reader.alerts(None, 9)
    reader.close()
    assert (str(alert.subject), alert.resolved_at) == ("run 7 / p1 / A1", None)


def test_an_open_alert_and_a_waiting_message_are_left_as_they_are(
    before: Path, clock: FakeClock
) -> None:
    tables = ("alerts", "outbox", "well_estimates")
    held = {table: read_rows(before, f"SELECT * FROM {table}") for table in tables}
    ((state,),) = read_rows(before, "SELECT state FROM rule_states")
    scene = Scene(store=open_store(before, clock), folder=before)
    # The monitor's first tick adds nothing.
    assert scene.store.let_time_pass() == ()
    scene.store.close()
    assert {table: read_rows(before, f"SELECT * FROM {table}") for table in held} == held
    ((kept,),) = read_rows(before, "SELECT state FROM rule_states")
    was, now = json.loads(state), json.loads(kept)
    points = was["last"]["evidence"]["points"]
    assert len(points) == 3
    was["last"]["evidence"]["points"] = points[-1:]
    assert now == was, "except for the time points, which are read where they are shown"


def test_its_message_still_goes_out_and_its_alert_ends_once(before: Path, clock: FakeClock) -> None:
    scene = Scene(store=open_store(before, clock), folder=before)
    (waiting,) = scene.store.due(clock.now(), 9)
    assert waiting.message.title.startswith("A1: weak now")
    scene.store.delivered(waiting.row, clock.now())
    assert scene.score(key("A1", 4), 0.8).alerts == ()
    (well_again,) = scene.score(key("A1", 5), 0.8).alerts
    assert well_again.title != waiting.message.title
    assert len(scene.rows("SELECT id FROM alerts WHERE resolved_time_point = 5")) == 1
    scene.store.close()


def test_what_is_done_stays_done_under_the_marks_it_had(before: Path, clock: FakeClock) -> None:
    store = open_store(before, clock)
    for time_point in range(3):
        offered = ticket(key("A1", time_point), fingerprint=f"size:{time_point}")
        mark = Mark(offered.locator, offered.fingerprint)
        assert store.settled("folder", [mark]) == {offered.locator}
    store.close()
    days = read_rows(before, "SELECT day, elapsed_s FROM results ORDER BY day")
    assert days == [(0.0, None), (0.5, None), (1.0, None)]
    ((first,),) = read_rows(before, "SELECT first_frame_at FROM runs")
    assert first.startswith(f"{START:%Y-%m-%d %H:%M}")


def test_the_upgrade_can_be_taken_back(before: Path, clock: FakeClock, schema: str) -> None:
    held = read_rows(before, "SELECT * FROM frames")
    open_store(before, clock).close()
    config = alembic_config()
    engine = create_engine(f"sqlite:///{before / 'scopewatch.db'}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, schema)
    engine.dispose()
    assert schema_of(before) == schema
    assert read_rows(before, "SELECT * FROM frames") == held
