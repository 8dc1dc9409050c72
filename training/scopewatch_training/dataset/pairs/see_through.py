"""How much of the phase contrast shows through in the fluorescence.

A lamp that is left on, a filter that leaks, or a merged picture adds the phase frame to the
fluorescence. Where no marker is, a true fluorescence frame holds noise and a smooth background.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Plane = NDArray[np.float32]

_CROP_PX: Final = 510
_FINE_PX: Final = 3
_WIDE_PX: Final = 9
_TAILS: Final = (1, 99)
_FEWEST_PX: Final = 1000


def measure_see_through(view: Plane, signal: Plane) -> float:
    """Correlate fine structure of both in the dimmer half of the fluorescence.

    Structures of 3 to 9 px in the middle of the frame are compared.

    Parameters
    ----------
    view
        (H, W) normalised phase frame.
    signal
        (H, W) fluorescence on the phase frame; NaN where unknown.

    Returns
    -------
    -1 to 1; 0 where there is too little to compare.
    """
    near, glow = _crop(view), _crop(signal)
    known = np.isfinite(glow)
    glow = np.where(known, glow, np.float32(0))
    level = ndimage.uniform_filter(glow, _WIDE_PX)
    if int(known.sum()) < _FEWEST_PX:
        return 0.0
    dim = known & (level <= np.median(level[known]))
    one, other = (_clip(_fine(each)[dim]) for each in (near, glow))
    spread = float(one.std()) * float(other.std())
    if spread <= 0:
        return 0.0
    return float(np.mean((one - one.mean()) * (other - other.mean()))) / spread


def _crop(plane: NDArray[Any]) -> Plane:
    top, left = (max(side - _CROP_PX, 0) // 2 for side in plane.shape)
    return np.asarray(plane[top : top + _CROP_PX, left : left + _CROP_PX], dtype=np.float32)


def _fine(plane: Plane) -> Plane:
    narrow, wide = (ndimage.uniform_filter(plane, side) for side in (_FINE_PX, _WIDE_PX))
    return np.asarray(narrow - wide)


def _clip(values: Plane) -> Plane:
    """Clip outliers, so that single bright grains do not rule the correlation."""
    return np.asarray(np.clip(values, *np.percentile(values, _TAILS)))
