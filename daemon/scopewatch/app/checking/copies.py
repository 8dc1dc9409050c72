"""Checks whether pictures can be copied to where the configuration wants them."""

from typing import Final

from scopewatch.app.copying.asking import ask_within
from scopewatch.app.copying.place import CopiesPlace, RemotePictures
from scopewatch.config import Config
from scopewatch.config.reference import is_reference
from scopewatch.sources.remote.connections import require_library

# A server that accepts and says nothing must not hold the command for minutes.
_ANSWER_S: Final = 40.0


def check_library(url: str) -> str:
    """Report that the library for a place is installed. Raises ConfigError."""
    require_library(url)
    return f"{url}: its library is installed"


def check_copies(config: Config) -> str:
    """Write, read and remove a file where pictures are copied to.

    Raises
    ------
    ConfigError, StoreError
        Where that fails, or the place is another daemon's.
    """
    url = config.picture_copies or ""
    ask_within(_ANSWER_S, url, lambda: _try_out(config, url))
    return f"{url} can be written to and read"


def _try_out(config: Config, url: str) -> None:
    place = CopiesPlace(RemotePictures(url), config.pictures, lambda: _owner(config))
    database = config.store.url
    # A secret that is missing here is reported by the checks before.
    if database is None or not is_reference(database.get_secret_value()):
        place.check_owner()
    place.try_out()


def _owner(config: Config) -> str:
    """Return the name of the results of this configuration; '' where there are none yet."""
    from scopewatch.app.shared.places import place_of  # noqa: PLC0415 - loads SQLAlchemy
    from scopewatch.store.read.reader import Reader  # noqa: PLC0415
    from scopewatch.store.schema.engine import has_results  # noqa: PLC0415

    place = place_of(config)
    if not has_results(place):
        return ""
    reader = Reader.open(place)
    try:
        return reader.copies_owner()
    finally:
        reader.close()
