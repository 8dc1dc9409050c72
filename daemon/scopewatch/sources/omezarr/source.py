"""Source of frames from OME-Zarr stores, also while they grow.

`path` is a store, or a folder in which stores appear.
"""

from scopewatch.config import OmeZarrSourceConfig, RunConfig
from scopewatch.core.clock import Clock
from scopewatch.core.source import Arrivals
from scopewatch.sources.base.data_sets import DataSetsSource
from scopewatch.sources.omezarr.array.follower import Patience
from scopewatch.sources.omezarr.array.pixels import require_zarr
from scopewatch.sources.omezarr.followed_image import Sighting
from scopewatch.sources.omezarr.frames import OmeZarrStores
from scopewatch.sources.readers.planes import DEFAULT_LIMITS, ReadLimits


class OmeZarrSource(DataSetsSource[Sighting]):
    """Follows OME-Zarr stores; implements `core.source.FrameSource`.

    Parameters
    ----------
    config
        Where the stores are, and how to read their positions.
    run
        Defaults for facts that they do not state.
    patience
        How long to wait for incomplete planes.
    arrivals
        Receives counts of images as they are saved; None: nobody counts.

    Raises
    ------
    ConfigError
        When the position pattern is invalid, or zarr is not installed.
    """

    def __init__(
        self,
        config: OmeZarrSourceConfig,
        run: RunConfig,
        clock: Clock,
        *,
        limits: ReadLimits = DEFAULT_LIMITS,
        patience: Patience | None = None,
        arrivals: Arrivals | None = None,
    ) -> None:
        require_zarr(config.name)
        super().__init__(
            config.name,
            config.path,
            config.poll_s,
            sets=OmeZarrStores(config, run, limits, patience or Patience()),
            clock=clock,
            arrivals=arrivals,
        )
