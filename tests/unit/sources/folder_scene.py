"""A folder source on a fake clock with its surroundings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from scopewatch.sources.folder import FolderSource
from tests.conftest import FakeClock
from tests.unit.sources.fakes import FakeArrivals, FakeInbox, FakeLedger
from tests.unit.sources.images import EXPERIMENT, folder_config


class Scene:
    """The source's thread runs beside, and may not make a difference."""

    def __init__(self, path: Path, clock: FakeClock, **changes: Any) -> None:
        self.path, self.clock = path, clock
        self.inbox, self.ledger = FakeInbox(), FakeLedger()
        self.arrivals = FakeArrivals()
        self.source = FolderSource(
            folder_config(path, **changes), EXPERIMENT, clock, arrivals=self.arrivals
        )

    def start(self) -> "Scene":
        self.source.start(self.inbox, self.ledger)
        return self

    def later(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.source.scan()


Make = Callable[..., Scene]
