"""Moves the results of a configuration between its state folder and its database server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from scopewatch.app.shared.places import mark_place, place_of
from scopewatch.config import Config
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.runtime.process.lock import InstanceLock
from scopewatch.store.export.moving import Moved, move_history
from scopewatch.store.files.whole_files import make_folder
from scopewatch.store.schema.place import Place, Server, name_of


class Kind(StrEnum):
    """Where results can be."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A history that was moved.

    Parameters
    ----------
    source, target
        Where it was, and still is, and where it is now too.
    """

    source: str
    target: str
    tables: tuple[Moved, ...]


def move_results(
    config: Config,
    source: Kind,
    target: Kind,
    environ: Mapping[str, str],
    progress: Callable[[str, int], None],
) -> Move:
    """Copy all results from one place to the other, and compare them.

    Raises
    ------
    ConfigError
        Where the configuration names no server, both are the same, or the daemon runs.
    StoreError
        Where there are no results, or some at the target; or a row differs afterwards.
    """
    if source is target:
        raise ConfigError(
            complaint(
                "results are moved from one place to another",
                where=f"migrate {source} {target}",
                expected="sqlite postgres, or postgres sqlite",
                do="name both",
            )
        )
    server = place_of(config, environ)
    if not isinstance(server, Server):
        raise ConfigError(
            complaint(
                "the configuration names no database server",
                where="store.url",
                expected="postgresql+psycopg://user:password@host/database, and store.daemon",
                do="write both into the configuration, then call it again",
            )
        )
    places: dict[Kind, Place] = {Kind.SQLITE: config.state.folder, Kind.POSTGRES: server}
    make_folder(config.state.folder)
    # A daemon that goes on would write what is never moved.
    with InstanceLock(config.state.folder):
        moved = move_history(places[source], places[target], progress)
        mark_place(config, places[target])
    return Move(source=name_of(places[source]), target=name_of(places[target]), tables=moved)
