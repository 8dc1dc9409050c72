"""An NDTiff source among fakes; `make` of a module's own tests makes them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scopewatch.sources.ndtiff import NDTiffSource
from tests.conftest import FakeClock
from tests.unit.sources.fakes import FakeArrivals, FakeInbox, FakeLedger
from tests.unit.sources.images import EXPERIMENT
from tests.unit.sources.ndtiffs import ndtiff_config


class Scene:
    """An NDTiff source with its surroundings."""

    def __init__(self, path: Path, clock: FakeClock, **changes: Any) -> None:
        self.clock = clock
        self.inbox, self.ledger = FakeInbox(), FakeLedger()
        self.arrivals = FakeArrivals()
        self.source = NDTiffSource(
            ndtiff_config(path, **changes), EXPERIMENT, clock, arrivals=self.arrivals
        )

    def start(self) -> "Scene":
        self.source.start(self.inbox, self.ledger)
        return self

    def later(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.source.scan()


Make = Callable[..., Scene]


@contextmanager
def making(root: Path, clock: FakeClock) -> Iterator[Make]:
    """Give a function that makes scenes, of `root` unless told otherwise; stop them at the end."""
    scenes: list[Scene] = []

    def build(path: Path = root, **changes: Any) -> Scene:
        scenes.append(Scene(path, clock, **changes))
        return scenes[-1]

    yield build
    for scene in scenes:
        scene.source.stop()
