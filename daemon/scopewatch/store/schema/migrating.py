"""Brings the result database to the present schema."""

import time
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from scopewatch.core.errors import StoreError, complaint
from scopewatch.event_log import get_logger
from scopewatch.store.schema.migrations import SCHEMA

log = get_logger(__name__)


def migrate(connection: Connection, current: str | None, path: Path) -> None:
    """Run the migrations that a database of schema `current` lacks, within its transaction.

    Raises
    ------
    StoreError
        Where a newer scopewatch wrote it.
    """
    refuse_newer(current, path)
    config = alembic_config()
    started = time.perf_counter()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    log.info(
        "result database brought up to date",
        path=str(path),
        **{"from": current},
        to=SCHEMA,
        ms=round(1000 * (time.perf_counter() - started)),
    )


def refuse_newer(current: str | None, path: Path) -> None:
    """Raise StoreError where the schema of a database is unknown: a newer scopewatch wrote it."""
    script = ScriptDirectory.from_config(alembic_config())
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            complaint(
                "result database was written by a newer scopewatch",
                where=path,
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
