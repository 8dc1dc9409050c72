"""Writes the planes of a pair, unknown pixels marked."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.quality import fit_tiles
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch.files import whole_file
from scopewatch_training.dataset.pairs.record import Pair

_FIT_TILE_PX: Final = 8


def hide_unknown(
    signal: NDArray[np.float32], pixels: NDArray[Any], shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Set the signal to NaN where the phase frame shows nothing (black border, burnt out)."""
    grid = TileGrid(height=shape[0], width=shape[1], tile_px=_FIT_TILE_PX)
    fit = fit_tiles(pixels, grid)
    if fit.all():
        return signal
    return np.where(grid.spread(fit), signal, np.float32(np.nan))


def write_planes(
    pair: Pair, out: Path, view: NDArray[np.float32], signal: NDArray[np.float32]
) -> Pair:
    """Write view and signal of a pair into a data set's folder; return it with their names."""
    made = replace(pair, view=f"views/{pair.id}.npy", signal=f"signals/{pair.id}.npy")
    _save(out / made.view, view.astype(np.float16))
    _save(out / made.signal, signal)
    return made


def _save(path: Path, array: NDArray[Any]) -> None:
    with whole_file(path, shared=True) as part, part.open("wb") as file:
        np.save(file, array, allow_pickle=False)
