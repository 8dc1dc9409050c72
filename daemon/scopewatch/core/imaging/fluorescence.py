"""Measures a fluorescence frame of the final day, by the recipe of training.

The threshold of a run is not known before its last frame, so a frame is reduced to what any
threshold needs: the histogram of its signal, and for each tile the brightness that a threshold must
stay below for the tile to be positive. That is a float for each tile, and it is exact.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ModelError, complaint
from scopewatch.core.imaging.binarise import Thresholds
from scopewatch.core.imaging.fluorescence_signal import (
    estimate_noise,
    match_size,
    remove_glow,
    smooth,
    subtract_background,
)
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.imaging.histogram import Counts, count_signal
from scopewatch.core.imaging.label_settings import BinariseSettings
from scopewatch.core.imaging.labels import NOT_COUNTED
from scopewatch.core.imaging.labels import Labels as TileLabels
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.core.imaging.model_card.labels import Labels
from scopewatch.core.imaging.scale import plan_scale, resampled_shape
from scopewatch.core.imaging.tiling import TileGrid

Levels = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FluorescenceReading:
    """The reduced fluorescence frame that is stored.

    Parameters
    ----------
    maybe, positive
        (rows, cols) float32 counts above background: a tile is not negative where a threshold lies
        below `maybe`, and positive where it lies below `positive`. They differ where the card
        leaves tiles near the cut-off uncounted. NaN: a tile that the border cuts.
    histogram
        (512,) int64, `core.imaging.histogram.count_signal`.
    noise
        Standard deviation of the camera's noise in the signal, in counts.
    """

    grid: TileGrid
    maybe: Levels
    positive: Levels
    histogram: Counts
    noise: float

    def __post_init__(self) -> None:
        for levels in (self.maybe, self.positive):
            if levels.shape != self.grid.shape:
                raise ValueError(f"levels {levels.shape} do not fit {self.grid}")
            levels.setflags(write=False)

    def label(self, threshold: float) -> TileLabels:
        """Label the tiles: (rows, cols) int8, 1 positive, 0 negative, -1 not counted."""
        labels = np.zeros(self.grid.shape, dtype=np.int8)
        with np.errstate(invalid="ignore"):
            labels[self.maybe > threshold] = NOT_COUNTED
            labels[self.positive > threshold] = 1
        labels[np.isnan(self.positive)] = NOT_COUNTED
        return labels


def read_fluorescence(
    frame: Frame, card: ModelCard, shape: tuple[int, int] | None
) -> FluorescenceReading:
    """Free a frame of its background and measure its tiles, by the recipe on the card.

    It is not registered on its phase frame, as training's frames are: an efficiency is a share of
    tiles, and a shift by a few pixels moves tiles about without changing how many are positive.

    Parameters
    ----------
    shape
        (H, W) of the well's phase frame as it was scored; None where there is none, and then the
        frame is brought to the card's scale by its own pixel size.

    Raises
    ------
    FrameError
        When it does not cover the field of its phase frame.
    ModelError
        When the card carries no recipe.
    """
    recipe = card.labels.recipe
    if recipe is None:
        raise no_recipe(card)
    if shape is None:
        height, width = frame.pixels.shape[0], frame.pixels.shape[1]
        shape = resampled_shape((height, width), plan_scale(frame.pixel_size_um, card).resample_by)
    plane = match_size(frame.pixels, shape, frame.key)
    signal = smooth(subtract_background(plane), recipe.smooth_px)
    grid = TileGrid(height=shape[0], width=shape[1], tile_px=card.tile_px)
    cells = remove_glow(signal, recipe.glow_px, recipe.glow_share)
    maybe, positive = _tile_levels(cells, grid, card.labels.area_cutoff, recipe.ambiguous_band)
    return FluorescenceReading(
        grid=grid,
        maybe=maybe,
        positive=positive,
        histogram=count_signal(signal),
        noise=estimate_noise(signal),
    )


def thresholds_of(labels: Labels) -> Thresholds:
    """Return how the card's labels were binarised, to binarise another run alike.

    Raises
    ------
    ValueError
        When the card carries no recipe.
    """
    recipe = labels.recipe
    if recipe is None:
        raise ValueError("the card carries no recipe for labels")
    settings = BinariseSettings(
        method=recipe.method,
        scope=recipe.scope,
        knee_sigmas=recipe.knee_sigmas,
        mad_k=recipe.mad_k,
        fixed_counts=recipe.fixed_counts,
        controls=recipe.controls,
        control_quantile=recipe.control_quantile,
        floor_sigmas=recipe.floor_sigmas,
        min_snr=recipe.min_snr,
    )
    return Thresholds(settings=settings, pooled=recipe.pooled_counts)


def no_recipe(card: ModelCard) -> ModelError:
    """Return the refusal of a card without a recipe for binarising."""
    return ModelError(
        complaint(
            "model card does not say how fluorescence is binarised",
            where=card.name,
            expected="labels.recipe",
            do="fit or requantise the bundle with this version, or leave"
            " experiment.fluorescence_channel out",
        )
    )


def _tile_levels(
    signal: NDArray[np.float32], grid: TileGrid, cutoff: float, band: float
) -> tuple[Levels, Levels]:
    """Return the levels of every whole tile below which it is (perhaps) positive."""
    side = grid.tile_px
    rows, cols = grid.height // side, grid.width // side
    whole = signal[: rows * side, : cols * side].reshape(rows, side, cols, side)
    pixels = np.sort(whole.transpose(0, 2, 1, 3).reshape(rows, cols, side * side), axis=2)
    # By the same comparisons as `core.imaging.labels.label_tiles`, for every count of pixels.
    share = np.arange(side * side + 1, dtype=np.float32) / np.float32(side * side)
    positive = share >= cutoff
    unsure = np.abs(share - cutoff) < band
    return (
        _brightest(pixels, grid, np.flatnonzero(positive | unsure)),
        _brightest(pixels, grid, np.flatnonzero(positive & ~unsure)),
    )


def _brightest(pixels: Levels, grid: TileGrid, counts: Collection[np.intp]) -> Levels:
    """Return the k-th brightest pixel of each tile, k the least of `counts`; NaN where cut."""
    levels = np.full(grid.shape, np.nan, dtype=np.float32)
    rows, cols = pixels.shape[:2]
    # Without a count that suffices no threshold is low enough.
    least = min(counts) if len(counts) else pixels.shape[2] + 1
    inside = pixels[:, :, -least] if 0 < least <= pixels.shape[2] else np.float32(-np.inf)
    levels[:rows, :cols] = inside
    return levels
