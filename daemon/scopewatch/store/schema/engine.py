"""Connections to the result database: opened, brought up to date, and one transaction at a time.

Write-ahead logging lets the dashboard read while the worker writes. `synchronous=FULL` makes
each commit survive a power cut: it costs one fsync per frame, and an alert that was
acknowledged stays acknowledged.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, column, create_engine, event, inspect, select, table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from scopewatch.core.errors import NoSpaceError, StoreError, complaint
from scopewatch.store.files.whole_files import FILE_MODE, make_folder, writing
from scopewatch.store.schema.migrations import SCHEMA

DATABASE: Final = "scopewatch.db"
_BUSY_S: Final = 30.0


def open_writer(folder: Path) -> Engine:
    """Open the database for writing; make and migrate it where needed.

    Raises
    ------
    StoreError
        Where the folder or the file cannot be used, or a newer scopewatch wrote it.
    """
    path = folder / DATABASE
    make_folder(folder)
    with writing(path):
        _make_file(path)
    engine = _engine(f"{path.resolve().as_uri()}?mode=rw", begin="BEGIN IMMEDIATE")
    event.listen(engine, "connect", _log_ahead)
    with _closed_on_failure(engine), as_store_errors(path), engine.begin() as connection:
        current = _schema_of(connection)
        if current != SCHEMA:
            # Alembic takes as long to import as all of SQLAlchemy: mostly there is nothing to do.
            from scopewatch.store.schema.migrating import migrate  # noqa: PLC0415 - loads Alembic

            migrate(connection, current, path)
    return engine


def open_reader(folder: Path) -> Engine:
    """Open an existing database of this schema, for reading only.

    Raises
    ------
    StoreError
        Where there is none, or it is of another schema.
    """
    path = folder / DATABASE
    if not path.is_file():
        raise StoreError(
            complaint("there are no results yet", where=path, do="start the daemon first")
        )
    engine = _engine(f"{path.resolve().as_uri()}?mode=ro", begin="BEGIN")
    with _closed_on_failure(engine), as_store_errors(path), engine.begin() as connection:
        current = _schema_of(connection)
        if current != SCHEMA:
            from scopewatch.store.schema.migrating import refuse_newer  # noqa: PLC0415 - loads Alembic

            refuse_newer(current, path)
            raise StoreError(
                complaint(
                    "result database is of an older scopewatch",
                    where=path,
                    expected=f"schema {SCHEMA}",
                    got=f"schema {current}",
                    do="start the daemon once: it brings the database up to date",
                )
            )
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """One transaction: all of it or, after any exception, nothing.

    Raises
    ------
    StoreError
        In place of anything the database raises.
    """
    with (
        as_store_errors(DATABASE),
        Session(engine, expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session


@contextmanager
def as_store_errors(where: object) -> Iterator[None]:
    """Raise StoreError, with one line for the operator, in place of what the database raises."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        full = getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        kind = NoSpaceError if full else StoreError
        raise kind(
            complaint(
                "result database cannot be used",
                where=where,
                got=cause,
                do="check free space, permissions and whether another program holds the file",
            )
        ) from error


@contextmanager
def _closed_on_failure(engine: Engine) -> Iterator[None]:
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


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


def _schema_of(connection: Connection) -> str | None:
    """Return the schema of a database, as Alembic notes it; None for an empty one."""
    noted = table("alembic_version", column("version_num"))
    if not inspect(connection).has_table(noted.name):
        return None
    return connection.scalar(select(noted.c.version_num))
