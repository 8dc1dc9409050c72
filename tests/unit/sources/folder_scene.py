"""A folder source on a fake clock with its surroundings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from scopewatch.sources.folder.source import FolderSource
from tests.conftest import FakeClock
from tests.unit.sources.images import RUN, folder_config
from tests.unit.sources.scenes import SourceScene


class Scene(SourceScene):
    """The thread of the source also runs, and must make no difference."""

    def __init__(self, path: Path, clock: FakeClock, **changes: Any) -> None:
        super().__init__(path, clock)
        self.source: FolderSource = FolderSource(
            folder_config(path, **changes), RUN, clock, arrivals=self.arrivals
        )


Make = Callable[..., Scene]
