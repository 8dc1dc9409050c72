"""Tile labels: 1, 0, or not counted, from the positive share of a tile's area."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.label_settings import LabelSettings
from scopewatch.core.imaging.tiling import TileGrid

NOT_COUNTED: Final = -1
ALWAYS_POSITIVE: Final = 3e38
"""Signal of a pixel that a person called positive: above every threshold, also an infinite one."""
_HIGHEST_THRESHOLD: Final = 1e38

Labels = NDArray[np.int8]


def positive_mask(signal: NDArray[np.floating], threshold: float) -> NDArray[np.bool_]:
    """Mark the positive pixels of a (H, W) signal; unknown (NaN) pixels are not positive."""
    with np.errstate(invalid="ignore"):
        return np.asarray(signal > min(threshold, _HIGHEST_THRESHOLD), dtype=bool)


def positive_share(
    signal: NDArray[np.floating], threshold: float, grid: TileGrid, max_unknown: float = 0.25
) -> NDArray[np.float32]:
    """Positive share of each tile's known area: (rows, cols) float32, NaN where not countable.

    Partial tiles, and tiles of which more than `max_unknown` is unknown, are NaN.
    """
    known = grid.means(np.isfinite(signal))
    positive = grid.means(positive_mask(signal, threshold))
    countable = grid.whole() & (known >= 1 - max_unknown) & (known > 0)
    share = np.full(grid.shape, np.nan, dtype=np.float32)
    np.divide(positive, known, out=share, where=countable)
    return share


def label_tiles(
    signal: NDArray[np.floating],
    threshold: float,
    grid: TileGrid,
    area_cutoff: float,
    ambiguous_band: float = 0.0,
    max_unknown: float = 0.25,
) -> Labels:
    """Label the tiles of one pair.

    Parameters
    ----------
    signal
        (H, W) counts above background; NaN where unknown.
    threshold
        Counts above which a pixel is positive; inf for no positive pixel.
    area_cutoff
        A tile is 1 when at least this share of its known area is positive.
    ambiguous_band
        Tiles whose share lies within +-band of the cut-off are not counted.

    Returns
    -------
    (rows, cols) int8: 1 positive, 0 negative, -1 not counted.
    """
    share = positive_share(signal, threshold, grid, max_unknown)
    return label_shares(share, area_cutoff, ambiguous_band)


def label_shares(
    share: NDArray[np.float32], area_cutoff: float, ambiguous_band: float = 0.0
) -> Labels:
    """Label tiles by their positive share, as `positive_share` returns it; see `label_tiles`."""
    labels = np.full(share.shape, NOT_COUNTED, dtype=np.int8)
    countable = np.isfinite(share)
    with np.errstate(invalid="ignore"):
        labels[countable & (share >= area_cutoff)] = 1
        labels[countable & (share < area_cutoff)] = 0
        if ambiguous_band > 0:
            labels[np.abs(share - area_cutoff) < ambiguous_band] = NOT_COUNTED
    return labels


def share_pair(
    signal: NDArray[np.floating], threshold: float, settings: LabelSettings
) -> tuple[TileGrid, NDArray[np.float32]]:
    """Return the grid of one pair and `positive_share` of its tiles, by the recorded settings."""
    grid = TileGrid(height=signal.shape[0], width=signal.shape[1], tile_px=settings.tile_px)
    return grid, positive_share(signal, threshold, grid, settings.max_unknown)


def label_pair(
    signal: NDArray[np.floating], threshold: float, settings: LabelSettings
) -> tuple[TileGrid, Labels]:
    """Label one pair by the recorded settings; returns its grid with the labels."""
    grid, share = share_pair(signal, threshold, settings)
    return grid, label_shares(share, settings.area_cutoff, settings.ambiguous_band)


def prevalence(labels: Labels) -> float | None:
    """Share of the counted tiles that are positive; None when none counts."""
    counted = labels[labels != NOT_COUNTED]
    return float(np.mean(counted == 1)) if counted.size else None
