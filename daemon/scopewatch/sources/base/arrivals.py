"""What sources tell of images as they come, where nobody or only half of it is wanted."""

from scopewatch.core.source import Arrivals


class Unheard:
    """Where nobody wants to know; implements `core.source.Arrivals`."""

    def begins(self, source: str) -> None:
        """Note nothing."""

    def came(self, source: str, images: int, over_s: float) -> None:
        """Note nothing."""

    def goes_on(self, source: str) -> None:
        """Note nothing."""

    def over(self, source: str) -> None:
        """Note nothing."""

    def bursting(self, _source: str) -> bool:
        """Nothing is waited for."""
        return False


class Overheard:
    """For whoever looks at images that another counts; implements `core.source.Arrivals`.

    The images of a time-lapse of our own are counted as they are saved. Found on disk again, they
    would be counted twice, and late.
    """

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals

    def begins(self, source: str) -> None:
        """Note nothing."""

    def came(self, source: str, images: int, over_s: float) -> None:
        """Note nothing."""

    def goes_on(self, source: str) -> None:
        """Note nothing."""

    def over(self, source: str) -> None:
        """Note nothing."""

    def bursting(self, source: str) -> bool:
        """Whether the images come as a burst."""
        return self._arrivals.bursting(source)
