"""Makes the stage that copies pictures, where the configuration wants copies."""

from collections.abc import Sequence

from scopewatch.app.copying.place import CopiesPlace, RemotePictures
from scopewatch.app.copying.queue import PictureQueue, end_copies
from scopewatch.config import Config
from scopewatch.core.clock import Clock
from scopewatch.runtime.copying.copier import PictureCopier
from scopewatch.runtime.process.metrics import Metrics
from scopewatch.runtime.supervision.stages import Stage
from scopewatch.sources.remote.connections import require_library
from scopewatch.store.database import Database


def make_copier(
    config: Config, database: Database, clock: Clock, metrics: Metrics
) -> PictureCopier | None:
    """Make what copies pictures; None where they are not to be copied.

    Raises
    ------
    ConfigError
        Where the library for such a place is not installed. The place itself is not asked.
    StoreError
        Where the database is away.
    """
    url = config.picture_copies
    if url is None:
        end_copies(database, clock)
        return None
    require_library(url)
    queue = PictureQueue(database, url, clock)
    place = CopiesPlace(RemotePictures(url), config.pictures, queue.owner)
    copier = PictureCopier(queue, place, where=url, clock=clock)
    metrics.watch_copies(copier)
    return copier


def copies_stage(copier: PictureCopier) -> Stage:
    """Return the stage of a copier."""
    return Stage(name="copies", start=copier.start, stop=copier.stop, running=copier.running)


def copies_troubles(copier: PictureCopier | None) -> Sequence[str]:
    """Return what is wrong with copies, one line each."""
    return () if copier is None else copier.troubles()
