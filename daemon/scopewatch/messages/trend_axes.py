"""The axes of a well's time course, for the picture of a message and the chart of a page."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor
from typing import Final

# Where the efficiency axis is labelled; it runs from 0 to 1 everywhere, to compare wells by eye.
SHARES: Final = (0, 0.25, 0.5, 0.75, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendAxes:
    """Days to the right, efficiency upwards, in pixels from the top left.

    Parameters
    ----------
    left, right, top, bottom
        Margins around the plot.
    first, last
        The days at its left and right edge; `last` is greater.
    """

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    first: int
    last: int

    def __post_init__(self) -> None:
        if self.last <= self.first:
            raise ValueError(f"a time course needs at least one day: {self}")

    def x(self, day: float) -> float:
        """Return where a day is; a day beyond the axis is at its edge."""
        share = min(max((day - self.first) / (self.last - self.first), 0.0), 1.0)
        return self.left + share * (self.width - self.left - self.right)

    def y(self, efficiency: float) -> float:
        """Return where an efficiency from 0 to 1 is."""
        plot_height = self.height - self.top - self.bottom
        return self.height - self.bottom - efficiency * plot_height

    def days(self, most: int) -> range:
        """Return about `most` whole days to label."""
        return range(self.first, self.last + 1, max(1, ceil((self.last - self.first) / most)))


def span_of(measured: Iterable[float], also: Iterable[float] = ()) -> tuple[int, int]:
    """Return the whole days from the first measured one to the last of all; at least one day.

    Parameters
    ----------
    measured, also
        Days of measured points, and others up to which the axis runs, such as the final day.
    """
    days = list(measured)
    first = floor(min(days))
    return first, max(ceil(max((*days, *also))), first + 1)
