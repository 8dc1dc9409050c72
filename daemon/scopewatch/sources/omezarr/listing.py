"""Lists the present planes of OME-Zarr stores without waiting for any.

Used by `score`, `explain` and `check`; the source of the daemon follows stores instead.
"""

from collections.abc import Iterator
from pathlib import Path

from scopewatch.config import OmeZarrSourceConfig, RunConfig
from scopewatch.core.errors import complaint
from scopewatch.sources.base.found import Found
from scopewatch.sources.omezarr.array.follower import Patience
from scopewatch.sources.omezarr.array.pixels import require_zarr
from scopewatch.sources.omezarr.frames import OmeZarrStores
from scopewatch.sources.readers.planes import DEFAULT_LIMITS, ReadLimits

_AS_IT_IS = Patience(quiet_s=0, give_up_s=0)


def open_stores(
    config: OmeZarrSourceConfig, run: RunConfig, limits: ReadLimits = DEFAULT_LIMITS
) -> OmeZarrStores:
    """Prepare to list the stores at or below a path.

    Raises
    ------
    ConfigError
        When the position pattern is invalid, or zarr is not installed.
    """
    require_zarr(config.path)
    return OmeZarrStores(config, run, limits, _AS_IT_IS)


def list_stores(stores: OmeZarrStores) -> Iterator[Found]:
    """Yield the planes of all stores: frames, and refusals of planes that are none."""
    for label, folder in stores.find(()):
        yield from _list_store(stores, label, folder)


def _list_store(stores: OmeZarrStores, label: str, folder: Path) -> Iterator[Found]:
    store = stores.open(folder)
    try:
        while sightings := store.look(0.0, full=True):
            for sighting in sightings:
                yield stores.found(label, sighting)
    except OSError as error:
        yield _refused(label, folder, error.strerror or str(error))
        return
    if not store.images:
        yield _refused(label, folder, store.trouble)


def _refused(label: str, folder: Path, got: str) -> Found:
    reason = complaint(
        "OME-Zarr store cannot be listed",
        where=folder,
        got=got,
        do="check that it is an OME-Zarr store of NGFF 0.4 or 0.5, and its permissions",
    )
    return Found(locator=label or folder.name, fingerprint="store", reason=reason)
