"""Areas of a picture that show nothing: gaps of a mosaic, corners of a turned picture, a border.

A program that stitches or turns pictures writes 0 where it has none. A camera's picture has an
offset: far from 0 nothing is there that reaches it. Zeros of a background that was cut off are
neighbours of 1, 2 and so on, and are no gap. Nor are those of a background that a program set to 0
between cells: a gap has straight or widely curved sides, and cells have not.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scopewatch.core.imaging.frame import Pixels

Mask = NDArray[np.bool_]

LEAST: Final = 0.002
"""Share of the pixels from which on zeros can be a gap."""
_BETWEEN: Final = 0.15
"""Most pixels between 0 and half of the darkest of the rest, as a share of the zeros: edges."""
_DARKEST: Final = 1.0
_LEAST_JUMP: Final = 6
_SOLID_PX: Final = 3
_SOLID: Final = 0.95
"""Least share of the zeros in squares of 3 px; of a background that was cut at 0 at most 0.71."""
_STRAIGHT_PX: Final = 9
_MOST_RAGGED: Final = 0.12
"""Most pixels that a majority of 9 x 9 px changes, for each pixel of the zeros' sides.

Gaps between tiles, corners turned by any angle and round wells have at most 0.034, zeros between
cells of E. coli, neurons and simulated cells at least 0.23.
"""
_CORNERS_PX: Final = 32
"""Pixels that it changes at the corners of a rectangle."""
_EDGE_PX: Final = 3
_LEAST_BORDER_PX: Final = 3
BORDER_NOTE: Final = "is a border of one grey value"
"""Part of the note of a pair with a picture that has one."""


def find_gap(pixels: Pixels) -> Mask | None:
    """Mark the area of a (H, W) picture that shows nothing; None where all of it is a picture."""
    zero = pixels == 0
    count = int(np.count_nonzero(zero))
    if not LEAST * pixels.size <= count < pixels.size:
        return None
    rest = pixels[~zero]
    jump = float(np.percentile(rest, _DARKEST)) / 2
    if jump < _LEAST_JUMP / 2 or int(np.count_nonzero(rest < jump)) > _BETWEEN * count:
        return None
    square = np.ones((_SOLID_PX, _SOLID_PX), dtype=np.bool_)
    solid = ndimage.binary_opening(np.pad(zero, 1, mode="edge"), square)[1:-1, 1:-1]
    if int(np.count_nonzero(solid)) < _SOLID * count or _is_ragged(solid):
        return None
    return np.asarray(ndimage.binary_dilation(solid, square, iterations=_EDGE_PX))


def _is_ragged(zero: Mask) -> bool:
    """Whether the sides of an area are those of cells; rows and columns that it fills are none."""
    rest = zero[~zero.all(axis=1)][:, ~zero.all(axis=0)]
    if not rest.any():
        return False
    sides = int(np.count_nonzero(rest & ~ndimage.binary_erosion(rest, border_value=1)))
    share = ndimage.uniform_filter(rest.astype(np.float32), _STRAIGHT_PX, mode="nearest")
    changed = int(np.count_nonzero((share > 0.5) != rest))
    return changed > _CORNERS_PX + _MOST_RAGGED * sides


def black_share(gap: Mask | None) -> float:
    """Return the share of a picture that its gap takes, 0 to 1."""
    return 0.0 if gap is None else float(gap.mean())


def describe_black(share: float) -> str:
    """Return the note of a pair of which so much shows nothing; '' for 0."""
    return (
        f"{share:.1%} of its field is black, as a mosaic's gaps are, and left out" if share else ""
    )


def fill_evenly(pixels: Pixels, gap: Mask | None) -> Pixels:
    """Return a picture whose gap has the median of the rest, which no border shows."""
    if gap is None:
        return pixels
    filled = pixels.copy()
    filled[gap] = np.median(pixels[~gap])
    return filled


def fill_with_background(pixels: Pixels, gap: Mask | None) -> Pixels:
    """Return a picture whose gap has pixels of the darker half of the rest, in any order.

    Its background and its noise are then those of the rest.
    """
    if gap is None:
        return pixels
    rest = pixels[~gap]
    dim = rest[rest <= np.median(rest)]
    filled = pixels.copy()
    drawn = np.random.default_rng(0).integers(0, dim.size, int(np.count_nonzero(gap)))
    filled[gap] = dim[drawn]
    return filled


def hide(signal: NDArray[np.float32], gap: Mask | None) -> NDArray[np.float32]:
    """Set a signal to NaN within a gap, which is brought to its (H, W) where it has another."""
    if gap is None:
        return signal
    if gap.shape != signal.shape:
        down, across = (
            (np.arange(side) * other) // side
            for side, other in zip(signal.shape, gap.shape, strict=True)
        )
        gap = gap[np.ix_(down, across)]
    return np.where(gap, np.float32(np.nan), signal)


def border_share(pixels: Pixels) -> float:
    """Return the share of a picture that whole rows and columns of one value at its sides take.

    A window, a page or a figure surrounds a frame so; a camera's noise reaches its sides. 0 where
    it is less than 3 px, where the picture has one value, and for black, which is a gap.
    """
    low, high = pixels.min(), pixels.max()
    if low == high:
        return 0.0
    value = pixels[0, 0] if pixels[0, 0] == pixels[0, -1] else pixels[-1, -1]
    shown = pixels != value
    rows, cols = (np.flatnonzero(shown.any(axis=axis)) for axis in (1, 0))
    height, width = pixels.shape
    widths = (rows[0], height - 1 - rows[-1], cols[0], width - 1 - cols[-1])
    if value == 0 or max(widths) < _LEAST_BORDER_PX:
        return 0.0
    within = (rows[-1] - rows[0] + 1) * (cols[-1] - cols[0] + 1)
    return 1 - float(within) / pixels.size


def describe_border(share: float) -> str:
    """Return the note of a pair of which a border takes so much; '' for 0."""
    return f"{share:.1%} of a picture {BORDER_NOTE}" if share else ""
