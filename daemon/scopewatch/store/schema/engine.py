"""The result database: opened, brought up to date, and one transaction at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, column, inspect, select, table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from scopewatch.core.errors import NoSpaceError, StoreError, complaint
from scopewatch.store.schema import daemon_schemas, postgresql, sqlite
from scopewatch.store.schema.migrations import SCHEMA
from scopewatch.store.schema.place import DATABASE, Place, Server, name_of

# Seconds, of a question that looks at a small catalogue.
_LIST_S: Final = 10.0
_CHECK_FILE: Final = "check free space, permissions and whether another program holds the file"
_CHECK_SERVER: Final = "check that the server runs and answers, and what this user may do there"


def open_writer(place: Place, *, alone: bool = False) -> Engine:
    """Open the database for writing; make and migrate it where needed.

    Parameters
    ----------
    alone
        True for the daemon itself. On a server it then holds the name of the daemon; in a folder
        the lock of the folder does (`runtime.process.lock`).

    Raises
    ------
    StoreError
        Where the place cannot be used, a newer scopewatch wrote it, or another daemon of that name
        is at work.
    """
    if isinstance(place, Path):
        engine = sqlite.connect_writer(place)
    else:
        engine = postgresql.connect_writer(place, alone=alone)
    with _closed_on_failure(engine), as_store_errors(place), engine.begin() as connection:
        if isinstance(place, Server):
            daemon_schemas.make_schema(connection, place)
        current = _schema_of(connection, place)
        if current != SCHEMA:
            # Alembic takes as long to import as all of SQLAlchemy: mostly there is nothing to do.
            from scopewatch.store.schema.migrating import migrate  # noqa: PLC0415 - loads Alembic

            migrate(connection, current, name_of(place))
    return _named(engine, place)


def open_reader(place: Place, *, statement_s: float | None = None) -> Engine:
    """Open an existing database of this schema, for reading only.

    Parameters
    ----------
    statement_s
        Longest time of a statement on a server; None: what is usual.

    Raises
    ------
    StoreError
        Where there is none, or it is of another schema.
    """
    if isinstance(place, Path):
        if not (place / DATABASE).is_file():
            raise _no_results(place)
        engine = sqlite.connect_reader(place)
    elif statement_s is None:
        engine = postgresql.connect_reader(place)
    else:
        engine = postgresql.connect_reader(place, statement_s=statement_s)
    with _closed_on_failure(engine), as_store_errors(place), engine.begin() as connection:
        current = _schema_of(connection, place)
        if current is None and isinstance(place, Server):
            raise _no_results(place)
        if current != SCHEMA:
            from scopewatch.store.schema.migrating import refuse_newer  # noqa: PLC0415 - loads Alembic

            refuse_newer(current, name_of(place))
            raise StoreError(
                complaint(
                    "result database is of an older scopewatch",
                    where=name_of(place),
                    expected=f"schema {SCHEMA}",
                    got=f"schema {current}",
                    do="start the daemon once: it brings the database up to date",
                )
            )
    return _named(engine, place)


def has_results(place: Place) -> bool:
    """Return whether there is a database, of whichever schema. Raises StoreError."""
    if isinstance(place, Path):
        return (place / DATABASE).exists()
    engine = postgresql.connect_reader(place)
    try:
        with as_store_errors(place), engine.begin() as connection:
            return _schema_of(connection, place) is not None
    finally:
        engine.dispose()


def list_daemons(url: str) -> list[str]:
    """Return the names of the daemons that have a schema in a database. Raises StoreError."""
    # Which daemon it names makes no difference.
    place = Server(url=url, daemon="any")
    engine = postgresql.connect_reader(place, statement_s=_LIST_S)
    try:
        with as_store_errors(place, where=place.database), engine.begin() as connection:
            return daemon_schemas.list_daemons(connection)
    finally:
        engine.dispose()


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """One transaction: all of it or, after any exception, nothing.

    Raises
    ------
    StoreError
        In place of anything the database raises.
    """
    place = engine.get_execution_options().get("place", DATABASE)
    with (
        as_store_errors(place),
        Session(engine, expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session


@contextmanager
def as_store_errors(place: Place | str, *, where: str = "") -> Iterator[None]:
    """Raise StoreError, with one line for the operator, in place of what the database raises.

    Parameters
    ----------
    where
        How the line names the place; '': as it is called.
    """
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        full = sqlite.is_full(cause) or postgresql.is_full(cause)
        raise (NoSpaceError if full else StoreError)(
            complaint(
                "result database cannot be used",
                where=where or (place if isinstance(place, str) else name_of(place)),
                got=cause,
                do=_CHECK_SERVER if isinstance(place, Server) else _CHECK_FILE,
            )
        ) from error


def _named(engine: Engine, place: Place) -> Engine:
    # Of a file the log need not repeat the folder with each line.
    engine.update_execution_options(place=DATABASE if isinstance(place, Path) else place)
    return engine


def _no_results(place: Place) -> StoreError:
    return StoreError(
        complaint("there are no results yet", where=name_of(place), do="start the daemon first")
    )


@contextmanager
def _closed_on_failure(engine: Engine) -> Iterator[None]:
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


def _schema_of(connection: Connection, place: Place) -> str | None:
    """Return the schema of a database, as Alembic notes it; None for an empty one."""
    if isinstance(place, Server):
        daemon_schemas.check_readable(connection, place)
    noted = table("alembic_version", column("version_num"))
    if not inspect(connection).has_table(noted.name):
        return None
    return connection.scalar(select(noted.c.version_num))
