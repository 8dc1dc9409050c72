"""How much of their noise two pictures share: none, unless one was mixed from the other.

A camera's noise is new in each exposure. A merged picture that was saved in grey as the phase frame
holds the fluorescence, its noise included: a network learns to read the marker there.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scopewatch.core.imaging.frame import Pixels
from scopewatch_training.dataset.looks import middle

Plane = NDArray[np.float32]

_CROP_PX: Final = 320
_NEAR_PX: Final = 5
_BRIGHT: Final = 87.5
"""Percentile of the fluorescence from which on it is compared: a merged picture shows it there."""
_TAILS: Final = (1, 99)
_STEP: Final = 4
"""Of the pixels by which percentiles are found."""
_FEWEST: Final = 200


def measure_shared_noise(phase: Pixels, fluorescence: Pixels) -> float:
    """Correlate the pixel noise of two pictures where the fluorescence is brightest.

    Noise of neighbours is independent, and the edges of cells are not: differences within squares
    of 2 x 2 px are compared at no shift, less what they share at shifts of 1 px.

    Parameters
    ----------
    phase, fluorescence
        (H, W), as they were read.

    Returns
    -------
    About -0.5 to 0.7; 0 for pictures of other sizes, and where too little can be compared.
    """
    if phase.shape != fluorescence.shape:
        return 0.0
    glow = middle(fluorescence, _CROP_PX).astype(np.float32)
    if min(glow.shape) < 2 * _NEAR_PX:
        return 0.0
    level = ndimage.uniform_filter(glow, _NEAR_PX)
    bright = (level >= np.percentile(level[::_STEP, ::_STEP], _BRIGHT))[1:-2, 1:-2]
    if int(np.count_nonzero(bright)) < _FEWEST:
        return 0.0
    one = _twist(middle(phase, _CROP_PX).astype(np.float32))[1:-1, 1:-1]
    other = _twist(glow)
    bend = 2 * other[1:-1] - other[:-2] - other[2:]
    bend = 2 * bend[:, 1:-1] - bend[:, :-2] - bend[:, 2:]
    one, other, bend = one[bright], other[1:-1, 1:-1][bright], bend[bright]
    spread = float(one.std()) * float(other.std())
    return float(np.mean((one - one.mean()) * bend)) / (9 * spread) if spread > 0 else 0.0


def _twist(plane: Plane) -> Plane:
    """Return the differences within squares of 2 x 2 px, without outliers."""
    twist = plane[:-1, :-1] + plane[1:, 1:] - plane[:-1, 1:] - plane[1:, :-1]
    low, high = np.percentile(twist[::_STEP, ::_STEP], _TAILS)
    return np.asarray(np.clip(twist, low, high))
