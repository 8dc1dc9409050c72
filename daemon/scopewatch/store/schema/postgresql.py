"""Connections to a result database on a PostgreSQL server.

Each daemon has a schema of its own, which its connections see alone. What SQLite's file locks give,
advisory locks of the schema give here (`advisory_locks`).

Limits on the time of a statement and a lock lie below `runtime.stall_s`, so that a server that is
away fails a step, which is then repeated, and hangs no stage.
"""

import json
import os
import socket
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.store.schema.advisory_locks import hold_name, wait_for_turn
from scopewatch.store.schema.columns import without_nul
from scopewatch.store.schema.place import Server

# Seconds. As for SQLite, a writer waits half a minute for another one.
_LOCK_S: Final = 30
_STATEMENT_S: Final = 40
_IDLE_S: Final = 120
_CONNECT_S: Final = 10
# A partner that vanished without a word (power, cable) is noticed after half a minute, by both.
_ALIVE: Final = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}
_READERS: Final = 8
_MOST_NAME: Final = 63
_DISK_FULL: Final = "53100"


def connect_writer(server: Server, *, alone: bool) -> Engine:
    """Return connections that write; each of their transactions excludes other writers.

    Parameters
    ----------
    alone
        True for the daemon itself: one connection, which holds the daemon's name.

    Raises
    ------
    ConfigError
        Where the driver is not installed.
    """
    settings = {
        "default_transaction_isolation": "read committed",
        "idle_in_transaction_session_timeout": f"{_IDLE_S}s",
        "lock_timeout": f"{_LOCK_S}s",
        "statement_timeout": f"{_STATEMENT_S}s",
        # Whatever the server's own setting is: a commit is to survive a power cut.
        "synchronous_commit": "on",
    }
    engine = _engine(server, settings, connections=1)
    if alone:

        def hold(connection: Any, _record: Any) -> None:
            try:
                hold_name(connection, server)
            except BaseException:
                connection.close()
                raise

        event.listen(engine, "connect", hold)

    event.listen(engine, "begin", partial(wait_for_turn, server=server))
    return engine


def connect_reader(server: Server, *, statement_s: float = _STATEMENT_S) -> Engine:
    """Return connections that cannot write; each of their transactions sees one moment.

    Parameters
    ----------
    statement_s
        Longest time of a statement, with what it waits for.

    Raises
    ------
    ConfigError
        Where the driver is not installed.
    """
    settings = {
        "default_transaction_isolation": "repeatable read",
        "default_transaction_read_only": "on",
        "statement_timeout": f"{round(1000 * statement_s)}ms",
    }
    return _engine(server, settings, connections=_READERS)


def last_numbers(connection: Connection, tables: Iterable[str]) -> dict[str, int]:
    """Return the last number that each of these tables has given to a row; 0 before the first."""
    return {
        name: connection.exec_driver_sql(
            "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence(%s, 'id')), 0)", (name,)
        ).scalar_one()
        for name in tables
    }


def go_on_numbering(connection: Connection, last: Mapping[str, int]) -> None:
    """Have tables go on after these numbers."""
    for name, number in last.items():
        connection.exec_driver_sql(
            "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s, %s)",
            (name, max(number, 1), number > 0),
        )


def is_full(cause: object) -> bool:
    """Return whether an error says that the disk of the server has no room."""
    return getattr(cause, "sqlstate", None) == _DISK_FULL


def _engine(server: Server, settings: dict[str, str], *, connections: int) -> Engine:
    # The server, too, is to notice that nobody is there any more.
    ours = {"search_path": f'"{server.schema}"', "timezone": "UTC"}
    theirs = {f"tcp_{name}": str(value) for name, value in _ALIVE.items()}
    every = ours | {"client_encoding": "UTF8"} | theirs | settings
    try:
        engine = create_engine(
            server.url,
            connect_args={
                "application_name": _session_name(server),
                "connect_timeout": _CONNECT_S,
                "options": " ".join(f"-c {name}={_escaped(each)}" for name, each in every.items()),
                "tcp_user_timeout": 1000 * _LOCK_S,
                **_ALIVE,
            },
            json_serializer=_as_json,
            pool_size=1,
            max_overflow=connections - 1,
            # A server that was restarted costs no failed step.
            pool_pre_ping=True,
            pool_use_lifo=True,
        )
    except ModuleNotFoundError as error:
        raise ConfigError(
            complaint(
                "the driver for PostgreSQL is not installed",
                where="store.url",
                got=error,
                do="install it: pip install 'scopewatch[postgres]'",
            )
        ) from error
    event.listen(engine, "connect", _adapt_texts)
    return engine


def _adapt_texts(connection: Any, _record: Any) -> None:
    # A damaged file's metadata may hold any character: that must not hold up the worker for ever.
    from psycopg.types.string import StrDumper  # noqa: PLC0415 - an extra

    class _TextDumper(StrDumper):
        def dump(self, obj: str) -> Any:
            return super().dump(without_nul(obj))

    connection.adapters.register_dumper(str, _TextDumper)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


def _as_json(value: object) -> str:
    # Else `NaN` would be written, which is no JSON: the server refuses it.
    return json.dumps(value, allow_nan=False)


def _session_name(server: Server) -> str:
    """Return how the server's administrator sees a connection: who it is of, and where."""
    name = f"scopewatch {server.daemon} pid {os.getpid()} {socket.gethostname()}"
    return name.encode("ascii", "replace").decode()[:_MOST_NAME]
