"""Connections to a result database on a PostgreSQL server.

Each daemon has a schema of its own, which its connections see alone. What SQLite's file locks give,
advisory locks of the schema give here:

- every transaction that writes waits for its turn, so that writers of one schema (the daemon, the
  dashboard, the command line) follow one another;
- the one connection by which a daemon writes holds the daemon's name for as long as it is open. A
  second daemon of that name is refused, and a daemon that lost its connection writes nothing before
  it has the name again.

Limits on the time of a statement and a lock lie below `runtime.stall_s`, so that a server that is
away fails a step, which is then repeated, and hangs no stage.
"""

import hashlib
import json
import os
import socket
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event

from scopewatch.core.errors import ConfigError, StoreError, complaint
from scopewatch.store.schema.columns import without_nul
from scopewatch.store.schema.place import Server, daemon_of

# Seconds. As for SQLite, a writer waits half a minute for another one.
_LOCK_S: Final = 30
_STATEMENT_S: Final = 40
_IDLE_S: Final = 120
# A daemon that was killed and is started at once: until the server knows, its name is taken.
_NAME_S: Final = 3
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
                _hold_name(connection, server)
            except BaseException:
                connection.close()
                raise

        event.listen(engine, "connect", hold)

    turn = _key(server, "write")

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (turn,))

    event.listen(engine, "begin", begin)
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


def make_schema(connection: Connection, server: Server) -> None:
    """Make the schema of a daemon where there is none."""
    if not has_schema(connection, server):
        connection.exec_driver_sql(f'CREATE SCHEMA "{server.schema}"')


def has_schema(connection: Connection, server: Server) -> bool:
    """Return whether the schema of a daemon exists."""
    found = connection.exec_driver_sql(
        "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", (server.schema,)
    )
    return found.first() is not None


def check_readable(connection: Connection, server: Server) -> None:
    """Raise StoreError where this user may not look into the schema of a daemon.

    The server itself does as if no table were there.
    """
    found = connection.exec_driver_sql(
        "SELECT current_user, has_schema_privilege(oid, 'USAGE') FROM pg_catalog.pg_namespace"
        " WHERE nspname = %s",
        (server.schema,),
    ).first()
    if found is None or found[1]:
        return
    user, schema = found[0], f'"{server.schema}"'
    raise StoreError(
        complaint(
            "this user of the database may not read the results of the daemon",
            where=server,
            got=f"user {user}",
            do=f"let the owner of the schema run: GRANT USAGE ON SCHEMA {schema} TO {user}; GRANT"
            f" SELECT ON ALL TABLES IN SCHEMA {schema} TO {user}",
        )
    )


def list_daemons(connection: Connection) -> list[str]:
    """Return the names of all daemons that have a schema, also of those nobody may read here."""
    found = connection.exec_driver_sql(
        "SELECT nspname FROM pg_catalog.pg_namespace ORDER BY nspname"
    )
    names = (daemon_of(schema) for (schema,) in found)
    return [name for name in names if name]


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


def _key(server: Server, what: str) -> int:
    """Return the number of an advisory lock: 64 bits, with their sign."""
    digest = hashlib.sha256(f"scopewatch {what} {server.schema}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def _hold_name(connection: Any, server: Server) -> None:
    """Hold the daemon's name for as long as this connection is open.

    Raises
    ------
    StoreError
        Where another connection holds it.
    """
    import psycopg  # noqa: PLC0415 - an extra

    key = _key(server, "daemon")
    with connection.cursor() as cursor:
        try:
            cursor.execute(f"SET LOCAL lock_timeout = '{_NAME_S}s'")
            cursor.execute("SELECT pg_advisory_lock(%s)", (key,))
        except psycopg.errors.LockNotAvailable:
            connection.rollback()
        else:
            connection.commit()
            return
        # A bigint is shown there in two halves.
        cursor.execute(
            "SELECT a.application_name, a.client_addr::text FROM pg_locks l"
            " JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted"
            " AND l.classid::bigint = %s AND l.objid::bigint = %s AND l.pid <> pg_backend_pid()"
            " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            ((key >> 32) & 0xFFFFFFFF, key & 0xFFFFFFFF),
        )
        holder = cursor.fetchone()
    connection.commit()
    session, address = holder or ("a session that has ended since", None)
    raise StoreError(
        complaint(
            "another daemon of this name writes to the database",
            where=f"store.daemon {server}",
            got=f"{session}{f' at {address}' if address else ''}",
            do="give each daemon a name of its own, or stop that one; after a power cut the server"
            " lets go of the name within a minute",
        )
    )
