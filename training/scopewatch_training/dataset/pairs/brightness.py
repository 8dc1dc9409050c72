"""How bright a camera's picture is, and whether its noise grows with its brightness.

Light comes in photons, so that bright parts of a camera's picture are noisier than dark parts, and
what a bright cell shows of itself is larger there, too. In an inverted picture it is the other way
round, however many cells glow: a dense field has as few dark gaps as a sparse one has bright cells.
"""

from dataclasses import dataclass
from math import log
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.planes.filters import block_means
from scopewatch_training.dataset.looks import middle

_CROP_PX: Final = 512
_BLOCK: Final = 4
_PARTS: Final = 8
_FEWEST_BLOCKS: Final = 64
_LEAST_VARIANCE: Final = 0.1
"""Variance of the rounding to whole counts, so that flat parts of an 8-bit picture count alike."""
_DARK: Final = 1.0
_STEP: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Brightness:
    """Brightness of a picture, in counts of its camera.

    Parameters
    ----------
    dark, median
        Its 1st and 50th percentile.
    noise_rise
        Natural logarithm of the local variance in the brightest eighth over that in the darkest;
        None where too little of the picture is within the camera's range.
    floor
        Share of the pixels at the lowest count.
    top
        First and last row, first and last column of the pixels at the highest count.
    """

    dark: float = 0.0
    median: float = 0.0
    noise_rise: float | None = None
    floor: float = 0.0
    top: tuple[int, int, int, int] | None = None

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Brightness":
        """Read what `dataclasses.asdict` gave."""
        top = values.get("top")
        return cls(**{**values, "top": None if top is None else tuple(top)})


def measure_brightness(pixels: NDArray[Any]) -> Brightness:
    """Measure a (H, W) picture of camera counts."""
    dark, median = np.percentile(pixels[::_STEP, ::_STEP], (_DARK, 50))
    return Brightness(
        dark=float(dark),
        median=float(median),
        noise_rise=_noise_rise(pixels),
        floor=float(np.count_nonzero(pixels == pixels.min())) / pixels.size,
        top=find_top(pixels),
    )


def find_top(pixels: NDArray[Any]) -> tuple[int, int, int, int]:
    """Return first and last row, first and last column of the pixels at the highest count."""
    highest = pixels == pixels.max()
    rows, cols = (np.flatnonzero(highest.any(axis=axis)) for axis in (1, 0))
    return int(rows[0]), int(rows[-1]), int(cols[0]), int(cols[-1])


def _noise_rise(pixels: NDArray[Any]) -> float | None:
    """Compare the differences within squares of 2 x 2 px, in blocks of 8 x 8 px.

    Blocks that touch the lowest or highest count are left out: noise ends there.
    """
    side = 2 * _BLOCK
    square = middle(pixels, _CROP_PX)
    rows, cols = (each // side for each in square.shape)
    crop = square[: rows * side, : cols * side].astype(np.float32)
    twist = crop[::2, ::2] + crop[1::2, 1::2]
    twist -= crop[::2, 1::2] + crop[1::2, ::2]
    variance = block_means(np.square(twist, out=twist), _BLOCK).ravel() / 4
    level = block_means(crop, side).ravel()
    # Down the columns first, which numpy does fastest.
    low, high = (
        reduce(reduce(crop.reshape(rows, side, -1), axis=1).reshape(rows, cols, side), axis=2)
        for reduce in (np.minimum.reduce, np.maximum.reduce)
    )
    low, high = low.ravel(), high.ravel()
    inside = (low > pixels.min()) & (high < pixels.max())
    variance, level = variance[inside], level[inside]
    part = variance.size // _PARTS
    if variance.size < _FEWEST_BLOCKS:
        return None
    ordered = variance[np.argsort(level, kind="stable")]
    darkest, brightest = np.median(ordered[:part]), np.median(ordered[-part:])
    return log((float(brightest) + _LEAST_VARIANCE) / (float(darkest) + _LEAST_VARIANCE))
