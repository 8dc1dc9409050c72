"""A canvas for charts: everything is drawn large and shrunk, so that lines are smooth.

It needs Pillow alone: matplotlib is large, and the daemon does not depend on it.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from scopewatch.core.imaging.caption import AMBER, FAINT, INK, PAPER, latin, load_font

ZOOM: Final = 2

Colour = tuple[int, int, int]
Point = tuple[float, float]


class Canvas:
    """A dark sheet of so many pixels; places and sizes are in pixels of the finished picture."""

    def __init__(self, width_px: int, height_px: int) -> None:
        self.width_px, self.height_px = width_px, height_px
        self._sheet = Image.new("RGB", (width_px * ZOOM, height_px * ZOOM), PAPER)
        self._draw = ImageDraw.Draw(self._sheet, "RGBA")

    def finish(self) -> NDArray[np.uint8]:
        """Return the picture, (height_px, width_px, 3) uint8."""
        size = (self.width_px, self.height_px)
        return np.asarray(self._sheet.resize(size, Image.Resampling.BOX))

    def line(self, points: Sequence[Point], colour: Colour = INK, thick_px: float = 1) -> None:
        """Draw a line through points."""
        self._draw.line(_zoomed(points), fill=colour, width=round(thick_px * ZOOM), joint="curve")

    def dashes(self, start: Point, end: Point, colour: Colour, thick_px: float = 1) -> None:
        """Draw a broken line."""
        length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
        steps = max(1, round(length / 6))
        ends = np.linspace(start, end, steps + 1)
        for index in range(0, steps, 2):
            (x0, y0), (x1, y1) = ends[index], ends[index + 1]
            self.line([(x0, y0), (x1, y1)], colour, thick_px)

    def area(self, points: Sequence[Point], colour: Colour, cover: float) -> None:
        """Fill a polygon; `cover` from 0 (nothing) to 1 (opaque)."""
        self._draw.polygon(_zoomed(points), fill=(*colour, round(255 * cover)))

    def box(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        colour: Colour | None = None,
        *,
        edge: Colour | None = None,
        thick_px: float = 1,
    ) -> None:
        """Draw a rectangle, filled, framed or both."""
        self._draw.rectangle(
            _zoomed([(left, top), (right, bottom)]),
            fill=colour,
            outline=edge,
            width=round(thick_px * ZOOM),
        )

    def dot(self, at: Point, radius_px: float, colour: Colour, *, hollow: bool = False) -> None:
        """Draw a disc, or a ring."""
        (x, y), radius = at, radius_px
        corners = _zoomed([(x - radius, y - radius), (x + radius, y + radius)])
        if hollow:
            self._draw.ellipse(corners, fill=PAPER, outline=colour, width=2 * ZOOM)
        else:
            self._draw.ellipse(corners, fill=colour)

    def text(
        self, at: Point, words: str, size_px: int, colour: Colour = INK, anchor: str = "la"
    ) -> None:
        """Write a line of Latin text; `anchor` as Pillow has it (`la` left and top)."""
        font = load_font(size_px * ZOOM)
        place = (at[0] * ZOOM, at[1] * ZOOM)
        self._draw.text(place, latin(words), font=font, fill=colour, anchor=anchor)

    def badge(self, words: str, size_px: int) -> None:
        """Write words on an amber plate in the upper right corner."""
        width = load_font(size_px).getlength(words) + size_px
        left = self.width_px - width
        self.box(left, 0, self.width_px, size_px * 1.8, AMBER)
        self.text((left + size_px / 2, size_px * 0.9), words, size_px, PAPER, "lm")

    def faint(self, at: Point, words: str, size_px: int, anchor: str = "la") -> None:
        """Write in a fainter ink, for axes and notes."""
        self.text(at, words, size_px, FAINT, anchor)


def text_px(words: str, size_px: int) -> float:
    """Return how wide a line of text is."""
    return float(load_font(size_px).getlength(latin(words)))


def _zoomed(points: Sequence[Point]) -> list[tuple[float, float]]:
    return [(x * ZOOM, y * ZOOM) for x, y in points]
