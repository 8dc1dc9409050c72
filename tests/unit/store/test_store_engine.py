import os
import sqlite3
from pathlib import Path
from stat import S_IMODE
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, event

from scopewatch.core.errors import StoreError
from scopewatch.store.schema.columns import Base
from scopewatch.store.schema.engine import open_reader, open_writer, transaction
from tests.conftest import FakeClock
from tests.unit.store.scene import key, open_store, ticket


def test_the_folder_and_its_files_are_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "state"
    engine = open_writer(folder)
    with transaction(engine) as session:
        session.connection().exec_driver_sql("DELETE FROM runs")
        modes = {path.name: S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    engine.dispose()
    assert {S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)} == {0o750}
    assert modes == dict.fromkeys(
        ("scopewatch.db", "scopewatch.db-wal", "scopewatch.db-shm"), 0o640
    )


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    open_writer(tmp_path).dispose()
    assert S_IMODE(tmp_path.stat().st_mode) == 0o755


@pytest.mark.parametrize("name", ["state ?a#b%20c", "結果", "a'b"])
def test_the_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    open_writer(tmp_path / name).dispose()
    assert (tmp_path / name / "scopewatch.db").is_file()
    open_reader(tmp_path / name).dispose()


def test_commits_survive_a_power_cut_and_readers_do_not_wait(tmp_path: Path) -> None:
    engine = open_writer(tmp_path)
    with transaction(engine) as session:
        asked = session.connection().exec_driver_sql
        pragmas = {
            name: asked(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


def test_the_migrations_make_exactly_the_tables_of_the_code(tmp_path: Path) -> None:
    engine = open_writer(tmp_path)

    def in_a_file(item: Any, *_: object) -> bool:
        # What only a server has.
        only = getattr(item, "_ddl_if", None)
        return only is None or only.dialect == "sqlite"

    with engine.connect() as connection:
        opts = {"compare_type": True, "include_object": in_a_file}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_an_upgrade_that_is_cut_short_leaves_nothing_behind(tmp_path: Path) -> None:
    def cut(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "CREATE TABLE outbox" in statement:
            raise RuntimeError("power cut")

    event.listen(Engine, "before_cursor_execute", cut)
    try:
        with pytest.raises(RuntimeError, match="power cut"):
            open_writer(tmp_path)
    finally:
        event.remove(Engine, "before_cursor_execute", cut)
    found = _tables(tmp_path)
    assert found == set()
    open_writer(tmp_path).dispose()
    assert "outbox" in _tables(tmp_path)


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    open_writer(tmp_path).dispose()
    _execute(tmp_path, "UPDATE alembic_version SET version_num = '0099'")
    expected = (
        r"result database was written by a newer scopewatch: .*scopewatch\.db"
        r" \(expected schema \d{4}, got schema 0099\); install that version again"
    )
    for opener in (open_writer, open_reader):
        with pytest.raises(StoreError, match=expected):
            opener(tmp_path)


def test_a_reader_refuses_a_database_of_an_older_version(tmp_path: Path) -> None:
    open_writer(tmp_path).dispose()
    _execute(tmp_path, "DELETE FROM alembic_version")
    with pytest.raises(StoreError, match=r"of an older scopewatch: .*start the daemon once"):
        open_reader(tmp_path)


def test_a_reader_says_so_where_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there are no results yet: .*start the daemon first"):
        open_reader(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    open_writer(tmp_path).dispose()
    reader = open_reader(tmp_path)
    with (
        pytest.raises(StoreError, match="attempt to write a readonly database"),
        transaction(reader) as session,
    ):
        session.connection().exec_driver_sql("DELETE FROM runs")
    reader.dispose()


def test_a_file_that_is_no_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / "scopewatch.db").write_text("these are my notes, not a database" * 100)
    with pytest.raises(StoreError, match=r"result database cannot be used: .*is not a database"):
        open_writer(tmp_path)


def test_a_state_folder_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(
        StoreError, match=r"folder cannot be made: .*state/deeper \(got Not a directory\)"
    ):
        open_writer(tmp_path / "state" / "deeper")


def test_a_state_folder_without_rights_is_reported(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    user = os.geteuid()
    if user == 0:
        # Root may write anywhere, so the test becomes the user nobody meanwhile.
        os.seteuid(65534)
    try:
        with pytest.raises(
            StoreError,
            match=r"folder cannot be made: .*state \(got Permission denied\);"
            " give the daemon's user the right to write there",
        ):
            open_writer(tmp_path / "state")
    finally:
        os.seteuid(user)


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    engine = open_writer(tmp_path)

    def fail_half_way() -> None:
        with transaction(engine) as session:
            session.connection().exec_driver_sql(
                "INSERT INTO runs (name, first_seen_at, simulated) VALUES ('a', '2026', 0)"
            )
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        fail_half_way()
    engine.dispose()
    assert _execute(tmp_path, "SELECT count(*) FROM runs") == [(0,)]


def test_two_stores_may_write_to_one_database(tmp_path: Path, clock: FakeClock) -> None:
    one, other = open_store(tmp_path, clock), open_store(tmp_path, clock)
    assert one.claim(ticket(key("A1")))
    assert other.claim(ticket(key("A2")))
    one.close()
    other.close()
    assert _execute(tmp_path, "SELECT count(*) FROM frames") == [(2,)]


def _execute(folder: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(folder / "scopewatch.db", isolation_level=None)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def _tables(folder: Path) -> set[object]:
    return {name for (name,) in _execute(folder, "SELECT name FROM sqlite_master")}


def test_connections_of_readers_keep_no_pages_while_they_idle(tmp_path: Path) -> None:
    open_writer(tmp_path).dispose()
    engine = open_reader(tmp_path)
    raw = engine.raw_connection()
    asked: list[str] = []
    assert isinstance(raw.dbapi_connection, sqlite3.Connection)
    raw.dbapi_connection.set_trace_callback(asked.append)
    raw.close()
    for _ in range(2):
        asked.clear()
        with transaction(engine) as session:
            session.connection().exec_driver_sql("SELECT count(*) FROM frames")
        assert asked[0] == "BEGIN"
        assert asked[-1] == "PRAGMA shrink_memory"
    engine.dispose()
