"""A source of frames: what it does, and what it is given to work with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from scopewatch.core.imaging.frame import Frame, FrameTicket, Mark, Refusal, RetryRequest


class Inbox(Protocol):
    """Where sources put what they found. Neither method blocks or raises."""

    def offer(self, ticket: FrameTicket) -> bool:
        """Take a ticket; False when full (a file waits on disk and is offered again)."""
        ...

    def refuse(self, refusal: Refusal) -> bool:
        """Take note of something that cannot become a frame; False when full."""
        ...


class Arrivals(Protocol):
    """Told of images as the microscope saves them. No method blocks or raises; any thread."""

    def begins(self, source: str) -> None:
        """Note that something is being written, nobody knows yet how much and how fast."""
        ...

    def came(self, source: str, images: int, over_s: float) -> None:
        """Note that a source saw so many images saved within the last `over_s` seconds.

        What was there already when the source began to look is no arrival. 0 for `over_s` is an
        image just now.
        """
        ...

    def goes_on(self, source: str) -> None:
        """Note that images still come as they did when they were counted last."""
        ...

    def over(self, source: str) -> None:
        """Note that nothing more comes of a source for now."""
        ...

    def bursting(self, source: str) -> bool:
        """Whether they come so fast that scoring waits: the source then spares the machine too."""
        ...


class Ledger(Protocol):
    """What already happened, so that nothing is offered twice over restarts."""

    def settled(self, source: str, found: Sequence[Mark]) -> set[str]:
        """Of what a source found, return the locators that need no more work.

        A frame needs work again where its content changed, where `found` says when it was taken
        and that was not known, or known otherwise, and where it was refused or could not be judged
        under other settings, or by another model, than there are now.
        """
        ...

    def names_changed(self, source: str) -> bool:
        """Tell whether results of a source were named by other settings than there are now.

        Then `settled` calls them open where `Mark.named`. Raises StoreError.
        """
        ...

    def acquisition(self, source: str, label: str, identity: str) -> int:
        """Return the number, from 1, of an acquisition among those at the same place.

        An identity that was seen before keeps its number for ever. Raises StoreError.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """Whether a source still watches.

    Parameters
    ----------
    alive
        False when the source can no longer notice a new frame by itself.
    detail
        One line: what it watches, or why it does not.
    found, waiting
        Frames found so far, and those seen but not yet whole or not yet taken.
    ended
        True when the acquisition itself says that nothing more will come; a folder of files
        never does.
    failing
        Why no image can be had at the moment though it watches (the camera or the core that it
        acquires with gives none); '' when all is well.
    shortfall
        Where it has ended and failed to the end: how many images are missing, and why; else ''.
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
    """Something that frames come from."""

    @property
    def name(self) -> str:
        """Unique name from the configuration."""
        ...

    def start(self, inbox: Inbox, ledger: Ledger) -> None:
        """Begin to offer tickets. Raises SourceError when there is nothing to watch."""
        ...

    def scan(self) -> None:
        """Look for frames now; called periodically, since events get lost. Never raises."""
        ...

    def load(self, ticket: FrameTicket) -> Frame:
        """Read the pixels of a ticket of this source. Raises FrameError."""
        ...

    def retry(self, asked: Sequence[RetryRequest]) -> int:
        """Take things that a person wants tried again; return how many, from the first on.

        Each is soon offered as it is read now, or refused as gone, though it did not change; the
        ledger has it open meanwhile. Never raises.
        """
        ...

    def health(self) -> SourceHealth:
        """Say whether it still watches. Never raises."""
        ...

    def stop(self) -> None:
        """Stop watching and release everything; idempotent."""
        ...
