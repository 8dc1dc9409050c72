"""The schemas of daemons in a database on a PostgreSQL server."""

from sqlalchemy import Connection

from scopewatch.core.errors import StoreError, complaint
from scopewatch.store.schema.place import Server, daemon_of


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
