"""A source in its tests, with a fake clock, inbox, ledger and arrivals."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from scopewatch.core.source import FrameSource
from scopewatch.core.tickets import FrameTicket, Refusal
from tests.conftest import FakeClock
from tests.unit.sources.fakes import FakeArrivals, FakeInbox, FakeLedger, asked


class SourceScene:
    """A source with its fakes; each kind of scene creates `source`."""

    source: FrameSource

    def __init__(self, path: Path, clock: FakeClock) -> None:
        self.path, self.clock = path, clock
        self.inbox, self.ledger = FakeInbox(), FakeLedger()
        self.arrivals = FakeArrivals()

    def start(self) -> Self:
        self.source.start(self.inbox, self.ledger)
        return self

    def later(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.source.scan()

    def plane_taken(self, number: int = 0) -> int:
        """The plane that is read as the frame of a ticket."""
        frame = self.source.load(self.inbox.tickets[number])
        assert frame.stack is not None
        return frame.stack.z

    def ask(self, *things: FrameTicket | Refusal) -> None:
        """Request a retry as the store does: the item is open in the ledger."""
        for each in things:
            self.ledger.done.discard((each.source, each.locator, each.fingerprint))
        assert self.source.retry([asked(each) for each in things]) == len(things)
        self.inbox.tickets.clear()
        self.inbox.refusals.clear()


S = TypeVar("S", bound=SourceScene)


@contextmanager
def making(kind: Callable[..., S], root: Path, clock: FakeClock) -> Iterator[Callable[..., S]]:
    """Give a function that makes scenes, of `root` by default; stop them at the end."""
    scenes: list[S] = []

    def build(path: Path = root, **changes: Any) -> S:
        scenes.append(kind(path, clock, **changes))
        return scenes[-1]

    yield build
    for scene in scenes:
        scene.source.stop()
