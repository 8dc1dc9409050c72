"""Regions of equal numbers in a picture: masks, label images, maps of classes, outlines.

All of them have 0, or one other number, outside, and regions of one number each. A camera's picture
has noise, and the slope of each glow.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label

Mask = NDArray[np.bool_]

_LINE_PX: Final = 5
"""Widest line of an outline, in pixels."""
_FEWEST_PX: Final = 30
"""Fewest pixels that are looked at as lines."""
_MOST_VALUES: Final = 8
_SAMPLED: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions:
    """What a (H, W) picture of more than two values is made of, outside its commonest value.

    Parameters
    ----------
    borders
        Share of the neighbours there that differ.
    values
        Number of different values there.
    parts
        Number of connected regions of one value there.
    """

    borders: float
    values: int
    parts: int


def lonely_share(pixels: NDArray[Any], inside: Mask) -> float:
    """Return the share of the pixels inside that differ from all four of their neighbours.

    The border of the picture is left out; 0 where nothing is inside.
    """
    middle, inner = pixels[1:-1, 1:-1], inside[1:-1, 1:-1]
    lonely = inner & (middle != pixels[:-2, 1:-1]) & (middle != pixels[2:, 1:-1])
    lonely &= (middle != pixels[1:-1, :-2]) & (middle != pixels[1:-1, 2:])
    return float(np.count_nonzero(lonely)) / max(int(np.count_nonzero(inner)), 1)


def measure_regions(pixels: NDArray[Any], outside: Any) -> Regions:
    """Measure the regions of a picture of whole numbers, of which one value is outside."""
    inside = pixels != outside
    neighbours = differing = 0
    for one, other in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
        both = inside[one] & inside[other]
        neighbours += int(np.count_nonzero(both))
        differing += int(np.count_nonzero(both & (pixels[one] != pixels[other])))
    # One number for each value, since they may be floats.
    values, numbered = np.unique(pixels, return_inverse=True)
    place = int(np.searchsorted(values, outside))
    flat = numbered.reshape(pixels.shape)
    _, parts = label(flat, background=place, connectivity=1, return_num=True)  # type: ignore[no-untyped-call]
    return Regions(
        borders=differing / max(neighbours, 1),
        values=int(values.size) - 1,
        parts=int(parts),
    )


def few_values(pixels: NDArray[Any]) -> NDArray[Any] | None:
    """Return the values of a picture that has three to eight; None of others."""
    if np.unique(pixels[::_SAMPLED, ::_SAMPLED]).size > _MOST_VALUES:
        return None
    values = np.unique(pixels)
    return values if 2 < values.size <= _MOST_VALUES else None


def commonest(pixels: NDArray[Any], values: NDArray[Any]) -> Any:
    """Return the commonest of some values of a picture."""
    return max(values, key=lambda value: np.count_nonzero(pixels == value))


def highest(pixels: NDArray[Any]) -> Mask:
    """Return where a picture has its highest value."""
    return np.asarray(pixels == pixels.max())


def measure_enclosed(area: Mask) -> float:
    """Return the area that the thin lines of a mask enclose, in areas of the whole mask.

    0 for filled regions, also with small holes; lines of 1 px about regions of 12 px across
    enclose twice their own area.
    """
    if int(np.count_nonzero(area)) < _FEWEST_PX:
        return 0.0
    solid = ndimage.binary_opening(area, np.ones((_LINE_PX + 1, _LINE_PX + 1), dtype=np.bool_))
    lines = area & ~solid
    enclosed = ndimage.binary_fill_holes(lines) & ~area
    return float(np.count_nonzero(enclosed)) / float(np.count_nonzero(area))
