"""Where a result database is: a file in a folder, or the schema of a daemon on a server."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

DATABASE: Final = "scopewatch.db"
_PREFIX: Final = "scopewatch_"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The results of one daemon in a PostgreSQL database that it may share with others.

    Each daemon has a schema of its own there, with all tables: no row of one daemon can be taken
    for one of another, whatever their runs and sources are called.

    Parameters
    ----------
    url
        As SQLAlchemy reads it, with the password: it is never shown.
    daemon
        The name of the daemon in that database; lower-case letters, digits, `_` and `-`.
    """

    url: str = field(repr=False)
    daemon: str

    def __post_init__(self) -> None:
        # It becomes part of SQL.
        if not _NAME.fullmatch(self.daemon):
            raise ValueError(f"not a name of a daemon: {self.daemon!r}")

    @property
    def schema(self) -> str:
        """The schema of the daemon."""
        return f"{_PREFIX}{self.daemon}"

    @property
    def database(self) -> str:
        """The database, named for people: without user and password."""
        parts = urlsplit(self.url)
        return f"database {parts.path.lstrip('/')} on {parts.hostname or 'this machine'}"

    def __str__(self) -> str:
        """Name it for people: without user and password."""
        return f"{self.daemon} in {self.database}"


Place = Path | Server


def name_of(place: Place) -> str:
    """Return how errors name a place."""
    return str(place / DATABASE) if isinstance(place, Path) else str(place)


def daemon_of(schema: str) -> str | None:
    """Return the daemon whose schema this is; None where it is none of ours."""
    daemon = schema.removeprefix(_PREFIX)
    return daemon if daemon != schema and _NAME.fullmatch(daemon) else None
