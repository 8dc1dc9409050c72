"""An NDTiff source on a fake clock with its surroundings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from scopewatch.sources.ndtiff.source import NDTiffSource
from tests.conftest import FakeClock
from tests.unit.sources.images import RUN
from tests.unit.sources.ndtiffs import ndtiff_config
from tests.unit.sources.scenes import SourceScene


class Scene(SourceScene):
    """`later` looks for data sets, as the thread of the source does."""

    def __init__(self, path: Path, clock: FakeClock, **changes: Any) -> None:
        super().__init__(path, clock)
        self.source: NDTiffSource = NDTiffSource(
            ndtiff_config(path, **changes), RUN, clock, arrivals=self.arrivals
        )


Make = Callable[..., Scene]
