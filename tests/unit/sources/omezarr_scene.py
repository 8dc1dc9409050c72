"""An OME-Zarr source on a fake clock with its surroundings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from scopewatch.sources.omezarr.source import OmeZarrSource
from tests.conftest import FakeClock
from tests.unit.sources.images import RUN
from tests.unit.sources.scenes import SourceScene
from tests.unit.sources.zarrs import omezarr_config


class Scene(SourceScene):
    """`later` looks for stores, as the thread of the source does."""

    def __init__(self, path: Path, clock: FakeClock, **changes: Any) -> None:
        super().__init__(path, clock)
        self.source: OmeZarrSource = OmeZarrSource(
            omezarr_config(path, **changes), RUN, clock, arrivals=self.arrivals
        )

    def rescan(self, seconds: float = 1) -> list[str]:
        """Let time pass and look; return the new keys, without the run."""
        before = len(self.inbox.tickets)
        self.later(seconds)
        return [key.partition("/")[2] for key in self.inbox.keys[before:]]


Make = Callable[..., Scene]
