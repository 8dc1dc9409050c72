"""The truth of a simulated frame, counted in whole tiles as in scored frames."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.tiling import TileGrid
from scopewatch_simulator.plan import AREA_CUTOFF, TILE_PX


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameTruth:
    """True efficiency of a frame.

    Parameters
    ----------
    efficiency
        Share of its whole tiles of which at least AREA_CUTOFF is cardiomyocytes.
    area_fraction
        Share of its area that is cardiomyocytes.
    """

    efficiency: float
    area_fraction: float


def truth_of(mask: NDArray[np.bool_]) -> FrameTruth:
    """Return the truth of a frame from its (H, W) mask of cardiomyocytes."""
    return FrameTruth(efficiency=efficiency_of(mask), area_fraction=float(mask.mean()))


def efficiency_of(mask: NDArray[np.float32] | NDArray[np.bool_]) -> float:
    """Share of whole tiles of which at least AREA_CUTOFF is positive in a (H, W) mask."""
    grid = TileGrid(height=mask.shape[0], width=mask.shape[1], tile_px=TILE_PX)
    return float(np.mean(grid.means(mask)[grid.whole()] >= AREA_CUTOFF))
