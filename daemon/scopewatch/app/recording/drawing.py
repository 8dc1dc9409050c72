"""Pictures of judged frames, each marked with the day of the run on which it was taken."""

from collections.abc import Callable

from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult
from scopewatch.core.tickets import FrameTicket
from scopewatch.store.files.overlays import OverlayFolder


class DatedOverlays:
    """Implements `runtime.pipeline.recording.Overlays`.

    Parameters
    ----------
    day_of
        Returns the day of the run (fractional) on which a claimed frame was taken. Raises
        StoreError.
    """

    def __init__(
        self, folder: OverlayFolder, day_of: Callable[[FrameTicket, Frame], float]
    ) -> None:
        self._folder = folder
        self._day_of = day_of

    def write(self, ticket: FrameTicket, frame: Frame, result: FrameResult) -> OverlayFiles:
        """Write the overlay (and the stain) of a judged frame. Raises StoreError."""
        return self._folder.write(frame, result, self._day_of(ticket, frame))

    def discard(self, key: FrameKey, named: OverlayFiles | None = None) -> int:
        """Remove the pictures of a frame that no result names; return how many."""
        return self._folder.discard(key, named)
