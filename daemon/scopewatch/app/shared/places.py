"""Where the results of a configuration are."""

import os
from collections.abc import Mapping
from typing import Final

from scopewatch.config import Config
from scopewatch.config.secrets import find_store_url
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.store.files.whole_files import write_whole, writing
from scopewatch.store.schema.engine import has_results
from scopewatch.store.schema.place import DATABASE, Place, Server, name_of

ELSEWHERE: Final = "results-on-server.txt"
"""In the state folder of a daemon that records on a server: which one."""


def place_of(config: Config, environ: Mapping[str, str] = os.environ) -> Place:
    """Return where the results are: the state folder, or the daemon's schema on a server.

    Raises
    ------
    ConfigError
        Where the address of the server cannot be read here.
    """
    url = find_store_url(config, environ)
    if url is None or config.store.daemon is None:
        return config.state.folder
    return Server(url=url, daemon=config.store.daemon)


def place_to_record(config: Config, environ: Mapping[str, str] = os.environ) -> Place:
    """Return where a daemon records its results.

    It does not begin another history while its own lies elsewhere, on a server or in the state
    folder: every frame would be scored, and every alert sent, once more.

    Raises
    ------
    ConfigError
        Where that is so, or the address of the server cannot be read here.
    StoreError
        Where the server cannot be asked.
    """
    place = place_of(config, environ)
    mark = config.state.folder / ELSEWHERE
    if not isinstance(place, Server) and mark.exists():
        raise ConfigError(
            complaint(
                "the results of this daemon are on a server that the configuration does not name",
                where="store.url",
                got=mark.read_text(encoding="utf-8").strip(),
                do=f"name it again, move them back (scopewatch migrate postgres sqlite), or delete"
                f" {mark} to go on with what is in the state folder",
            )
        )
    left = config.state.folder / DATABASE
    if isinstance(place, Server) and left.exists() and not has_results(place):
        raise ConfigError(
            complaint(
                "the results are in the state folder, and the server has none of this daemon",
                where=place,
                got=left,
                do="move them (scopewatch migrate sqlite postgres), or rename that file for a new"
                " history",
            )
        )
    return place


def mark_place(config: Config, place: Place) -> None:
    """Note in the state folder that the results are on a server, or that they no longer are.

    Raises
    ------
    StoreError
        Where the disk refuses.
    """
    mark = config.state.folder / ELSEWHERE
    if isinstance(place, Server):
        write_whole(mark, f"{name_of(place)}\n".encode())
    else:
        with writing(mark):
            mark.unlink(missing_ok=True)
