"""Brings the result database to the present schema."""

import time
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from scopewatch.core.errors import StoreError, complaint
from scopewatch.event_log import get_logger
from scopewatch.store.schema import (
    alert_tables,  # noqa: F401 - enters its tables
    picture_tables,  # noqa: F401
    tables,  # noqa: F401
    well_tables,  # noqa: F401
)
from scopewatch.store.schema.columns import Base
from scopewatch.store.schema.migrations import SCHEMA

log = get_logger(__name__)


def migrate(connection: Connection, current: str | None, where: str) -> None:
    """Run the migrations that a database of schema `current` lacks, within its transaction.

    Raises
    ------
    StoreError
        Where a newer scopewatch wrote it.
    """
    refuse_newer(current, where)
    config = alembic_config()
    started = time.perf_counter()
    config.attributes["connection"] = connection
    if connection.dialect.name == "sqlite":
        command.upgrade(config, "head")
    else:
        _upgrade_server(connection, config, current)
    log.info(
        "result database brought up to date",
        path=where,
        **{"from": current},
        to=SCHEMA,
        ms=round(1000 * (time.perf_counter() - started)),
    )


def _upgrade_server(connection: Connection, config: AlembicConfig, current: str | None) -> None:
    """Bring a schema on a server up to date; a new one is made as a whole.

    No server ever had the tables of before 0009, which the steps up to there rewrite in SQLite's
    own way.
    """
    # However many rows a step rewrites.
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    if current is not None:
        command.upgrade(config, "head")
        return
    Base.metadata.create_all(connection)
    command.stamp(config, "head")


def refuse_newer(current: str | None, where: str) -> None:
    """Raise StoreError where the schema of a database is unknown: a newer scopewatch wrote it."""
    script = ScriptDirectory.from_config(alembic_config())
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            complaint(
                "result database was written by a newer scopewatch",
                where=where,
                expected=f"schema {SCHEMA}",
                got=f"schema {current}",
                do="install that version again, or set another state.folder",
            )
        )


def alembic_config() -> AlembicConfig:
    """Return where Alembic finds the migrations."""
    config = AlembicConfig()
    config.set_main_option("script_location", _escaped(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _escaped(path: Path) -> str:
    # Alembic reads its options through configparser, to which % is special.
    return str(path).replace("%", "%%")
