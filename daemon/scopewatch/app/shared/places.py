"""Where the results of a configuration are."""

import os
from collections.abc import Mapping

from scopewatch.config import Config
from scopewatch.config.secrets import find_store_url
from scopewatch.store.schema.place import Place, Server


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
