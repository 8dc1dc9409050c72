"""How much of the phase contrast shows through in the fluorescence.

A lamp that is left on, a filter that leaks, or a merged picture adds the phase frame to the
fluorescence. Where no marker is, a true fluorescence frame holds noise and a smooth background.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scopewatch.core.imaging.planes.filters import block_means
from scopewatch_training.dataset.looks import middle

Plane = NDArray[np.float32]

_CROP_PX: Final = 510
_FINE_PX: Final = 3
_WIDE: Final = 3
"""Side of the surroundings, in blocks: 9 px."""
_TAILS: Final = (1, 99)
_FEWEST: Final = 200


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
    near, glow = (block_means(middle(each, _CROP_PX), _FINE_PX) for each in (view, signal))
    known = np.isfinite(glow)
    if int(known.sum()) < _FEWEST:
        return 0.0
    glow = np.where(known, glow, np.float32(np.median(glow[known])))
    level, coarse = (ndimage.uniform_filter(each, _WIDE) for each in (glow, near))
    dim = known & (level <= np.median(level[known]))
    one, other = _clip((near - coarse)[dim]), _clip((glow - level)[dim])
    spread = float(one.std()) * float(other.std())
    if spread <= 0:
        return 0.0
    return float(np.mean((one - one.mean()) * (other - other.mean()))) / spread


def _clip(values: Plane) -> Plane:
    """Clip outliers, so that single bright grains do not rule the correlation."""
    return np.asarray(np.clip(values, *np.percentile(values, _TAILS)))
