"""No-op and read-only implementations of `core.source.Arrivals`."""

from scopewatch.core.source import Arrivals


class NullArrivals:
    """Ignores all counts; for a source whose images nobody counts."""

    def write_started(self, source: str) -> None:
        """Ignore the call."""

    def images_saved(self, source: str, images: int, over_s: float) -> None:
        """Ignore the call."""

    def still_growing(self, source: str) -> None:
        """Ignore the call."""

    def finished(self, source: str) -> None:
        """Ignore the call."""

    def bursting(self, _source: str) -> bool:
        """Return False: there is never a burst."""
        return False


class ReadOnlyArrivals(NullArrivals):
    """Passes on whether there is a burst, and ignores all counts.

    For a source that finds images on disk which another one already counted as they were saved, as
    with a time-lapse of our own: otherwise they would be counted twice, and late.
    """

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals

    def bursting(self, source: str) -> bool:
        """Return whether the images arrive as a burst."""
        return self._arrivals.bursting(source)
