"""Contracts of a source of frames, and of the objects that a source works with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from scopewatch.core.imaging.frame import Frame
from scopewatch.core.tickets import FrameTicket, Mark, Refusal, RetryRequest


class Inbox(Protocol):
    """Queue to which sources offer what they find. Neither method blocks or raises."""

    def offer(self, ticket: FrameTicket) -> bool:
        """Add a ticket; return False when full (the file stays on disk and is offered again)."""
        ...

    def refuse(self, refusal: Refusal) -> bool:
        """Add a file or image that cannot become a frame; return False when full."""
        ...


class Arrivals(Protocol):
    """Receives counts of images as they are saved; thread-safe. No method blocks or raises."""

    def write_started(self, source: str) -> None:
        """Note that a source began to write; number and rate of its images are not known yet."""
        ...

    def images_saved(self, source: str, images: int, over_s: float) -> None:
        """Note that a source saw this many images saved within the last `over_s` seconds.

        Images that existed before the source started are not counted. `over_s` is 0 for an
        image that was saved just now.
        """
        ...

    def still_growing(self, source: str) -> None:
        """Note that images still arrive at the rate that was counted last."""
        ...

    def finished(self, source: str) -> None:
        """Note that a source expects no more images for now."""
        ...

    def bursting(self, source: str) -> bool:
        """Return whether images arrive so fast that scoring waits; sources then save load too."""
        ...


@dataclass(frozen=True, slots=True)
class KnownFolder:
    """The folder of a source as it was when it was last there.

    Parameters
    ----------
    mounted
        Whether a share or disk was mounted on the folder itself.
    """

    mounted: bool


class Ledger(Protocol):
    """Record of what was processed, so that nothing is offered twice after a restart."""

    def settled(self, source: str, found: Sequence[Mark]) -> set[str]:
        """Return the locators among `found` that need no more work.

        A frame needs work again when its content changed, when `found` has a moment that the ledger
        does not have or has otherwise, and when it was refused or quarantined under settings or a
        model other than the present ones.
        """
        ...

    def names_changed(self, source: str) -> bool:
        """Return whether results of a source were named under settings other than the present ones.

        Then `settled` returns such frames as open where `Mark.named`. Raises StoreError.
        """
        ...

    def acquisition(self, source: str, label: str, identity: str) -> int:
        """Return the number, from 1, of an acquisition among those in the same place.

        A known identity keeps its number. Raises StoreError.
        """
        ...

    def known_folder(self, source: str, path: str) -> KnownFolder | None:
        """Return the folder of a source as it was recorded in this run, if it gave frames.

        None where no such folder is known. Raises StoreError.
        """
        ...

    def record_folder(self, source: str, path: str, folder: KnownFolder) -> None:
        """Record that the folder of a source is there. Raises StoreError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """State of a source.

    Parameters
    ----------
    alive
        False when the source can no longer detect a new frame by itself.
    detail
        One line: what it watches, or why it does not.
    found, waiting
        Frames found so far; frames seen but not yet complete or not yet taken by the inbox.
    ended
        True when the acquisition itself declares its end; a folder of files never does.
    failing
        Why no image can be acquired at the moment although the source watches (its camera or core
        fails); '' when all is well.
    shortfall
        For an acquisition that ended while failing: how many images are missing, and why; else ''.
    """

    name: str
    alive: bool
    detail: str
    found: int
    waiting: int
    ended: bool = False
    failing: str = ""
    shortfall: str = ""


class FrameSource(Protocol):
    """A source of frames."""

    @property
    def name(self) -> str:
        """Unique name from the configuration."""
        ...

    def start(self, inbox: Inbox, ledger: Ledger) -> None:
        """Start to offer tickets. Raises SourceError when there is nothing to watch."""
        ...

    def scan(self) -> None:
        """Look for frames now. Called periodically, since events get lost. Never raises."""
        ...

    def load(self, ticket: FrameTicket) -> Frame:
        """Read the pixels of a ticket of this source. Raises FrameError."""
        ...

    def retry(self, asked: Sequence[RetryRequest]) -> int:
        """Accept requests to try frames or files again; return how many, from the first on.

        Each is soon offered as it is read now, or refused as gone, although it did not change; the
        ledger counts it as open meanwhile. Never raises.
        """
        ...

    def health(self) -> SourceHealth:
        """Return whether it still watches. Never raises."""
        ...

    def stop(self) -> None:
        """Stop watching and release everything; idempotent."""
        ...
