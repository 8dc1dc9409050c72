"""Fakes of inbox, ledger and arrivals for the tests of sources."""

from collections.abc import Sequence

from scopewatch.core.errors import StoreError
from scopewatch.core.imaging.moment import Moment
from scopewatch.core.source import KnownFolder
from scopewatch.core.tickets import FrameTicket, Mark, Refusal, RetryRequest


def asked(thing: FrameTicket | Refusal) -> RetryRequest:
    """The request of a person to try a frame, or what was refused, again."""
    return RetryRequest(
        number=1,
        source=thing.source,
        locator=thing.locator,
        fingerprint=thing.fingerprint,
        seen_at=thing.seen_at,
        asked_by="mei",
        ticket=thing if isinstance(thing, FrameTicket) else None,
    )


class FakeInbox:
    """Takes up to `room` tickets and refusals."""

    def __init__(self, room: int = 10_000) -> None:
        self.room = room
        self.broken = False
        self.tickets: list[FrameTicket] = []
        self.refusals: list[Refusal] = []

    def offer(self, ticket: FrameTicket) -> bool:
        if self.broken:
            raise RuntimeError("the inbox is broken")
        if self.room <= 0:
            return False
        self.room -= 1
        self.tickets.append(ticket)
        return True

    def refuse(self, refusal: Refusal) -> bool:
        if self.room <= 0:
            return False
        self.room -= 1
        self.refusals.append(refusal)
        return True

    @property
    def keys(self) -> list[str]:
        return [str(ticket.key) for ticket in self.tickets]

    @property
    def reasons(self) -> list[str]:
        return [refusal.reason for refusal in self.refusals]

    def ticket(self, ending: str) -> FrameTicket:
        """Return the one ticket whose key has this ending."""
        (found,) = [ticket for ticket in self.tickets if str(ticket.key).endswith(ending)]
        return found


class FakeLedger:
    """Remembers what was settled; counts its calls."""

    def __init__(self) -> None:
        self.done: set[tuple[str, str, str]] = set()
        self.moments: dict[tuple[str, str], Moment] = {}
        self.renamed: dict[str, set[str]] = {}
        self.asked: list[int] = []
        self.acquisitions: dict[tuple[str, str], list[str]] = {}
        self.folders: dict[tuple[str, str], KnownFolder] = {}
        self.broken = False

    def acquisition(self, source: str, label: str, identity: str) -> int:
        if self.broken:
            raise StoreError("database is locked")
        seen = self.acquisitions.setdefault((source, label), [])
        if identity not in seen:
            seen.append(identity)
        return seen.index(identity) + 1

    def known_folder(self, source: str, path: str) -> KnownFolder | None:
        if self.broken:
            raise StoreError("database is locked")
        return self.folders.get((source, path))

    def record_folder(self, source: str, path: str, folder: KnownFolder) -> None:
        if self.broken:
            raise StoreError("database is locked")
        self.folders[source, path] = folder

    def names_changed(self, source: str) -> bool:
        if self.broken:
            raise StoreError("database is locked")
        return source in self.renamed

    def settled(self, source: str, found: Sequence[Mark]) -> set[str]:
        if self.broken:
            raise StoreError("database is locked")
        self.asked.append(len(found))
        return {
            mark.locator
            for mark in found
            if (source, mark.locator, mark.fingerprint) in self.done
            and not (mark.named and mark.locator in self.renamed.get(source, ()))
            and not mark.moment.updates(self.moments.get((source, mark.locator), mark.moment))
        }

    def settle(self, *things: FrameTicket | Refusal) -> None:
        self.done |= {(each.source, each.locator, each.fingerprint) for each in things}
        self.moments |= {
            (each.source, each.locator): each.moment
            for each in things
            if isinstance(each, FrameTicket)
        }


class FakeArrivals:
    """Records its calls; the test sets whether there is a burst."""

    def __init__(self) -> None:
        self.burst = False
        self.calls: list[str] = []
        self.came_s: list[tuple[int, float]] = []

    @property
    def images(self) -> int:
        return sum(images for images, _ in self.came_s)

    def write_started(self, _source: str) -> None:
        self.calls.append("begins")

    def images_saved(self, _source: str, images: int, over_s: float) -> None:
        self.calls.append(f"{images} came")
        self.came_s.append((images, over_s))

    def still_growing(self, _source: str) -> None:
        self.calls.append("goes on")

    def finished(self, _source: str) -> None:
        self.calls.append("over")

    def bursting(self, _source: str) -> bool:
        return self.burst
