"""Advisory locks of a daemon's schema on a PostgreSQL server, in place of SQLite's file locks.

- Every transaction that writes waits for its turn, so that writers of one schema (the daemon, the
  dashboard, the command line) follow one another.
- The one connection by which a daemon writes holds the daemon's name for as long as it is open. A
  second daemon of that name is refused, and a daemon that lost its connection writes nothing before
  it has the name again.
"""

import hashlib
from typing import Any, Final

from sqlalchemy import Connection

from scopewatch.core.errors import StoreError, complaint
from scopewatch.store.schema.place import Server

# A daemon that was killed and is started at once: until the server knows, its name is taken.
_NAME_S: Final = 3


def wait_for_turn(connection: Connection, server: Server) -> None:
    """Wait until no other transaction writes to the schema; excludes them to the end of this one.

    Raises
    ------
    OperationalError
        Where that takes longer than the connection's `lock_timeout`.
    """
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_key(server, "write"),))


def hold_name(connection: Any, server: Server) -> None:
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


def _key(server: Server, what: str) -> int:
    """Return the number of an advisory lock: 64 bits, with their sign."""
    digest = hashlib.sha256(f"scopewatch {what} {server.schema}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
