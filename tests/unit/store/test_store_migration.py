"""Databases of older schemas are migrated with all their rows."""

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from scopewatch.core.alerts.observation import Reading
from scopewatch.store.read.reader import Reader
from scopewatch.store.schema.migrating import alembic_config
from scopewatch.store.schema.migrations import SCHEMA
from tests.conftest import FakeClock
from tests.unit.store.scene import RULE, Scene, key, open_store, read_rows

AT = "2026-03-01 09:00:00.000000"


def make_database(folder: Path, schema: str) -> sqlite3.Connection:
    """Create an empty database of a schema; return it open."""
    path = folder / "scopewatch.db"
    engine = create_engine(f"sqlite:///{path}")
    config = alembic_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, schema)
    engine.dispose()
    return sqlite3.connect(path, isolation_level=None)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder whose database is of schema 0001: A1 is weak and raised, A2 has recovered."""
    database = make_database(tmp_path, "0001")
    database.executescript(f"""
        INSERT INTO runs VALUES (1, 'run 7', NULL, '{AT}', '{AT}', 0);
        INSERT INTO wells VALUES (1, 1, 'p1', 'A1'), (2, 1, 'p1', 'A2');
        INSERT INTO well_estimates VALUES (1, 0, 0.0, 0.07, 0.01, 0.13, 1, 1);
        INSERT INTO well_estimates VALUES (1, 1, 0.5, 0.07, 0.01, 0.13, 1, 1);
        INSERT INTO alert_states VALUES (1, 'weak', 1, 1, 0), (2, 'weak', 3, 0, 1);
        INSERT INTO alerts VALUES (7, 1, 'weak', 'warning', 0.5, '{AT}', 1, 0.5, 0.07,
            NULL, NULL, NULL, NULL, '{AT}', NULL);
        INSERT INTO alerts VALUES (8, 2, 'weak', 'warning', 0.5, '{AT}', 1, 0.5, 0.2,
            '{AT}', 3, 1.5, 0.6, NULL, '{AT}');
        INSERT INTO outbox VALUES (3, 'mail', 7, 'a key',
            '{{"severity": "warning", "title": "A1: weak", "body": "b", "attachments": []}}',
            '{AT}', 2, '{AT}', NULL, NULL, 'no route');
    """)
    database.close()
    return tmp_path


def test_the_schema_of_the_code_is_that_of_the_newest_migration() -> None:
    script = ScriptDirectory.from_config(alembic_config())
    assert script.get_current_head() == SCHEMA


def test_alerts_and_messages_are_kept(old: Path, clock: FakeClock) -> None:
    open_store(old, clock).close()
    reader = Reader.open(old)
    standing, gone = reader.alerts(None, 9)
    reader.close()
    assert (standing.alert, str(standing.subject), standing.kind) == (
        7,
        "run 7 / p1 / A1",
        "weak-now",
    )
    assert standing.evidence.now == Reading(value=0.07, low=0.01, high=0.13)
    assert standing.evidence.target == 0.5
    assert standing.acknowledged_at is not None
    assert [(post.channel, post.attempts, post.why) for post in standing.postings] == [
        ("mail", 2, "no route")
    ]
    assert gone.alert == 8
    assert gone.resolution is not None
    assert gone.resolution.now == Reading(value=0.6, low=0.6, high=0.6)
    assert gone.snoozed_until is not None


def test_references_hold_and_the_old_tables_are_gone(old: Path, clock: FakeClock) -> None:
    open_store(old, clock).close()
    assert read_rows(old, "PRAGMA foreign_key_check") == []
    assert read_rows(old, "PRAGMA integrity_check") == [("ok",)]
    names = {name for (name,) in read_rows(old, "SELECT name FROM sqlite_master")}
    assert not {"alert_states", "alerts_new", "outbox_new"} & names
    (sql,) = read_rows(old, "SELECT sql FROM sqlite_master WHERE name = 'outbox'")[0]
    assert "alerts_new" not in sql


def test_rules_go_on_from_where_they_stood(old: Path, clock: FakeClock) -> None:
    clock.advance(24 * 3600)
    scene = Scene(store=open_store(old, clock), folder=old)
    assert scene.score(key("A1", 2), 0.1).alerts == (), "its alert was raised before"
    assert scene.score(key("A1", 3), 0.7).alerts == ()
    (message,) = scene.score(key("A1", 4), 0.7).alerts
    assert RULE.consecutive == 2
    assert scene.rows("SELECT id FROM alerts WHERE resolved_time_point = 4") == [(7,)]
    # A2 had one of two observations that its recovery needs.
    (again,) = scene.score(key("A2", 4), 0.1).alerts
    assert message.title != again.title
    assert scene.rows("SELECT id, well FROM alerts WHERE raised_time_point = 4") == [(9, "A2")]
    scene.store.close()
