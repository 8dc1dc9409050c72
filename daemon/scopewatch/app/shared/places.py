"""Where the results of a configuration are."""

import os
from collections.abc import Mapping

from scopewatch.config import Config
from scopewatch.config.secrets import find_store_url
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.store.schema.engine import has_results
from scopewatch.store.schema.place import DATABASE, Place, Server


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

    On a server it does not begin an empty history while its own lies in the state folder: every
    frame would be scored, and every alert sent, once more.

    Raises
    ------
    ConfigError
        Where that is so, or the address of the server cannot be read here.
    StoreError
        Where the server cannot be asked.
    """
    place = place_of(config, environ)
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
