"""A signal in which some tiles are corrected, as training and labelling read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.labels import ALWAYS_POSITIVE
from scopewatch_training.dataset.corrections.record import TileLabel
from scopewatch_training.dataset.planes import Plane, Window
from scopewatch_training.dataset.settings import LabelSettings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CorrectedSignal:
    """A (H, W) signal with the tiles that people corrected.

    Training takes labels from pixels at any offset, so that a corrected label has to be one of
    pixels. A negative tile reads 0; a dropped one is unknown (NaN). In a positive tile the
    brightest pixels are positive above any threshold, as many as the area cut-off asks for: the
    marker is where its light is brightest, and a tile that overlaps a corner of it is not called
    positive for that.

    Parameters
    ----------
    tiles
        (row, column) to label; whole tiles of the grid.
    settings
        Size of the tiles, and the share of a tile that makes it positive.
    """

    plane: Plane
    tiles: Mapping[tuple[int, int], TileLabel]
    settings: LabelSettings

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W)."""
        return self.plane.shape

    def __getitem__(self, window: Window, /) -> NDArray[Any]:
        """Copy a crop as float32."""
        side = self.settings.tile_px
        (top, bottom), (left, right) = (
            part.indices(full)[:2] for part, full in zip(window, self.shape, strict=True)
        )
        # Whole tiles are read, since the brightest pixels of a tile may lie outside the crop.
        first_row, first_col = top // side, left // side
        outer = np.array(
            self.plane[
                first_row * side : min(-(-bottom // side) * side, self.shape[0]),
                first_col * side : min(-(-right // side) * side, self.shape[1]),
            ],
            dtype=np.float32,
        )
        for (row, col), label in self.tiles.items():
            down, across = (row - first_row) * side, (col - first_col) * side
            if 0 <= down < outer.shape[0] and 0 <= across < outer.shape[1]:
                place = slice(down, down + side), slice(across, across + side)
                outer[place] = self._correct(outer[place], label)
        down, across = top - first_row * side, left - first_col * side
        return outer[down : down + bottom - top, across : across + right - left]

    def _correct(self, tile: NDArray[np.float32], label: TileLabel) -> NDArray[np.float32]:
        if label is TileLabel.DROPPED:
            return np.full_like(tile, np.nan)
        if label is TileLabel.NEGATIVE:
            return np.zeros_like(tile)
        settings = self.settings
        wanted = ceil(settings.area_cutoff * tile.size)
        if settings.ambiguous_band > 0:
            # One pixel more, so that rounding cannot leave the tile on the edge of the band.
            wanted = ceil((settings.area_cutoff + settings.ambiguous_band) * tile.size) + 1
        wanted = min(wanted, tile.size)
        flat = np.nan_to_num(tile.ravel(), nan=0.0)
        flat[np.argpartition(flat, tile.size - wanted)[tile.size - wanted :]] = ALWAYS_POSITIVE
        return flat.reshape(tile.shape)
