"""Connections to a result database in a file.

Write-ahead logging lets the dashboard read while the worker writes. `synchronous=FULL` makes
each commit survive a power cut: it costs one fsync per frame, and an alert that was
acknowledged stays acknowledged.
"""

import os
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from scopewatch.core.errors import StoreError, complaint
from scopewatch.store.files.whole_files import FILE_MODE, make_folder, writing
from scopewatch.store.schema.place import DATABASE

_BUSY_S: Final = 30.0


def connect_writer(folder: Path) -> Engine:
    """Return connections that write; each of their transactions excludes other writers.

    Raises
    ------
    StoreError
        Where the folder or the file cannot be used.
    """
    path = folder / DATABASE
    make_folder(folder)
    with writing(path):
        _make_file(path)
    engine = _engine(f"{path.resolve().as_uri()}?mode=rw", begin="BEGIN IMMEDIATE")
    event.listen(engine, "connect", _log_ahead)
    return engine


def connect_reader(folder: Path) -> Engine:
    """Return connections to an existing database that cannot write."""
    path = folder / DATABASE
    engine = _engine(f"{path.resolve().as_uri()}?mode=ro", begin="BEGIN")
    event.listen(engine, "checkin", _free_pages)
    return engine


def is_full(cause: object) -> bool:
    """Return whether an error says that the disk has no room."""
    return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


def last_numbers(connection: Connection, tables: Iterable[str]) -> dict[str, int]:
    """Return the last number that each of these tables has given to a row; 0 before the first."""
    # Of tables with AUTOINCREMENT SQLite notes it: the row may be gone.
    found = connection.exec_driver_sql("SELECT name, seq FROM sqlite_sequence")
    noted = {str(name): int(number) for name, number in found}
    return {
        name: max(
            noted.get(name, 0),
            connection.exec_driver_sql(f'SELECT max(id) FROM "{name}"').scalar() or 0,  # noqa: S608
        )
        for name in tables
    }


def go_on_numbering(connection: Connection, last: Mapping[str, int]) -> None:
    """Have tables with AUTOINCREMENT go on after these numbers; others follow their last row."""
    for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_sequence").all():
        connection.exec_driver_sql(
            "UPDATE sqlite_sequence SET seq = ? WHERE name = ?", (last[name], name)
        )


def _make_file(path: Path) -> None:
    # SQLite gives its -wal and -shm files the mode of the database itself.
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE))
        path.chmod(FILE_MODE)


def _engine(uri: str, *, begin: str) -> Engine:
    def connect() -> sqlite3.Connection:
        # Isolation level None: BEGIN is sent explicitly, or sqlite3 would leave reads and DDL
        # outside the transaction (https://github.com/python/cpython/issues/54133).
        connection = sqlite3.connect(
            uri, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA foreign_keys=ON")
        return connection

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    # Last in, first out: in turn, every connection of the pool would fill a cache of its own.
    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_use_lifo=True)
    event.listen(engine, "begin", start)
    return engine


def _free_pages(connection: sqlite3.Connection | None, _record: Any) -> None:
    # Each connection keeps 2 MB of pages, which its next transaction drops where anything was
    # written meanwhile: those of a pool that idle would only add up.
    if connection is not None:
        connection.execute("PRAGMA shrink_memory")


def _log_ahead(connection: sqlite3.Connection, _record: Any) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        raise StoreError(
            complaint(
                "result database cannot keep a write-ahead log",
                where="state.folder",
                expected="wal",
                got=mode,
                do="put the state folder on a local disk, not on a network share",
            )
        )
    connection.execute("PRAGMA synchronous=FULL")
