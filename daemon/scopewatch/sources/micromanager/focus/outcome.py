"""What came of the images of one time point, or of one image beyond the plan."""

from collections.abc import Sequence
from statistics import median
from typing import Any, Final

from scopewatch.event_log import get_logger
from scopewatch.sources.micromanager.events import Axes, ImagesMissingError

log = get_logger(__name__)

LOST_LOCK: Final = "focus lock was lost while images were taken"


class UnfocusedError(ImagesMissingError):
    """Images were left out since the focus was not found; the devices themselves work."""


class FocusOutcome:
    """Where the focus was found and where not, and which images are missing.

    Attributes
    ----------
    tried
        Labels of the positions where the focus was looked for.
    corrections
        How far from the plan it was found, in micrometres.
    failed
        Why it was not found, or not held, by label.
    """

    def __init__(self, time_point: int) -> None:
        self.time_point = time_point
        self.tried: list[str] = []
        self.corrections: list[float] = []
        self.failed: dict[str, str] = {}
        self._skipped: list[tuple[Axes, str]] = []
        self._lost: list[ImagesMissingError] = []

    def skip(self, axes: Sequence[Axes], why: str) -> None:
        """Note images that are left out."""
        self._skipped += [(each, why) for each in axes]

    def lose(self, error: ImagesMissingError) -> None:
        """Note images that did not come."""
        self._lost.append(error)

    def merged(self, error: ImagesMissingError) -> ImagesMissingError:
        """Return an error with the causes of all that is missing so far."""
        causes = [cause for each in (*self._lost, error) for cause in each.causes]
        return ImagesMissingError(str(error), [*causes, *self._skipped], ends=error.ends)

    def raise_missing(self) -> None:
        """Raise where images are missing: UnfocusedError where the focus alone is why."""
        if self._lost:
            raise self.merged(self._lost[-1])
        if self._skipped:
            first, why = next(iter(self.failed.items()))
            line = f"{len(self._skipped)} images were left out: {why} (position {first}"
            more = len(self.failed) - 1
            raise UnfocusedError(line + (f" and {more} more)" if more else ")"), self._skipped)

    def log(self, source: str, *, left_out: bool) -> None:
        """Log where the focus was found, and where it failed.

        Parameters
        ----------
        left_out
            Whether images are left out whose focus is not found.
        """
        event: dict[str, Any] = {"source": source, "time_point": self.time_point}
        for label, why in self.failed.items():
            then = "left out" if left_out and why != LOST_LOCK else "marked"
            log.warning("focus failed", **event, position=label, reason=why, images=then)
        if self.corrections:
            drift = round(median(self.corrections), 2)
            log.info("focus found", **event, drift_um=drift, found=len(self.corrections))
