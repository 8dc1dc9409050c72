"""The result database and the pictures, as the frame pipeline uses them."""

from collections.abc import Collection
from typing import Protocol

from scopewatch.core.imaging.fluorescence import FluorescenceReading
from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult
from scopewatch.core.source import Ledger
from scopewatch.core.tickets import FrameTicket, Refusal
from scopewatch.messages.settled import Settled


class Overlays(Protocol):
    """Writes pictures, each to a temporary file that is synced and renamed."""

    def write(self, ticket: FrameTicket, frame: Frame, result: FrameResult) -> OverlayFiles:
        """Write the overlay (and the stain) of a judged frame. Raises StoreError."""
        ...

    def discard(self, key: FrameKey, named: OverlayFiles | None = None) -> int:
        """Remove the pictures of a frame that no result names; return how many.

        A result names those in `named`: where these are all, the database is not asked.
        Only the thread that writes them may call it. Raises StoreError.
        """
        ...


class ResultStore(Ledger, Protocol):
    """The result database, as the worker uses it. All methods raise StoreError."""

    def claim(self, ticket: FrameTicket) -> bool:
        """Count an attempt at a frame; False when it is settled already.

        A frame that has used up its attempts is quarantined here, which may step rules.
        """
        ...

    def second_try(self, sources: Collection[str]) -> FrameTicket | None:
        """Begin one more attempt at a frame of `sources` that was given up; None: none is due.

        What it returns is claimed. A frame has one such attempt, after others have gone well.
        """
        ...

    def retime(self, ticket: FrameTicket) -> bool:
        """Correct when a settled frame was taken, where the ticket knows it better than the store.

        Its day, day 0 and all that follows from days are brought up to date; nothing is scored,
        and no time point is stepped again. False where nothing changed.
        """
        ...

    def commit(
        self, ticket: FrameTicket, frame: Frame, result: FrameResult, files: OverlayFiles
    ) -> Settled:
        """Record a judged frame, step its well's rules, fill the outbox: one transaction."""
        ...

    def quarantine(self, ticket: FrameTicket, fault: str, reason: str) -> Settled:
        """Record that a frame cannot be judged, and why; it may complete its time point."""
        ...

    def phase_shape(self, key: FrameKey) -> tuple[int, int] | None:
        """Return (H, W) of a site's newest phase frame as it was scored, for its fluorescence."""
        ...

    def measure(self, ticket: FrameTicket, frame: Frame, reading: FluorescenceReading) -> Settled:
        """Record a fluorescence frame and measure its run again, as far as it is known."""
        ...

    def skip(self, ticket: FrameTicket, reason: str) -> None:
        """Record that a frame is not to be scored (another channel), so that it is known."""
        ...

    def refuse(self, refusal: Refusal) -> None:
        """Record something that cannot become a frame, and why."""
        ...
