"""What a made-up frame holds: the names of wells, its measures and the scores of its tiles."""

import math

import numpy as np

from scopewatch.core.imaging.tiling import TileGrid, TileScores

GRID = TileGrid(height=256, width=256, tile_px=32)
ROWS = "ABCDEFGHIJKLMNOP"


def well_names(wells: int) -> list[str]:
    """Return the names of the wells of a plate, row by row."""
    columns = 24 if wells > 96 else 12
    return [f"{ROWS[n // columns]}{n % columns + 1}" for n in range(wells)]


def course_of(random: np.random.Generator, time_points: int, days: float) -> list[float]:
    """Return the share of positive tiles at each time point: it rises to the well's final share."""
    final, turn, width = random.uniform(0.1, 0.8), random.uniform(4, 7), random.uniform(0.5, 1.5)
    at = np.arange(time_points) * days / time_points
    return [final / (1 + math.exp((turn - day) / width)) for day in at.tolist()]


def measures_of(level: float, random: np.random.Generator) -> dict[str, float]:
    """Return the measures of a frame, in which rules look for jumps."""
    usual = {
        "coverage": 0.9,
        "contrast": 0.2 + 0.1 * level,
        "band_4px": 0.02,
        "band_8px": 0.1,
        "band_coarse": 0.5,
        "focus": 0.6,
        "mean": 0.5,
        "noise": 0.01,
    }
    return {name: float(value * random.normal(1, 0.03)) for name, value in usual.items()}


def tiles_of(random: np.random.Generator) -> TileScores:
    """Return scores of the tiles of a frame; all tiles count."""
    probability = random.random(GRID.shape, dtype=np.float32)
    return TileScores(grid=GRID, probability=probability, valid=GRID.whole())
