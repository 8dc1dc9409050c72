"""Measures by which a frame is judged, and which of its tiles hold an image."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.frame import Pixels
from scopewatch.core.imaging.model_card.limits import DistanceLimit
from scopewatch.core.imaging.planes.background import coarse_background
from scopewatch.core.imaging.planes.spread import USUAL_SHARE, half_distance, sample_step
from scopewatch.core.imaging.planes.texture import describe
from scopewatch.core.imaging.tiling import TileGrid

# Cameras of 10, 12 and 14 bits, whose counts fill the low or the high bits of 16.
FULL_SCALES: Final = frozenset({255, 1023, 4095, 16383, 65535, 65472, 65520, 65532})
BACKGROUND_PX: Final = 64.0
SAMPLE_SIDE_PX: Final = 512


def measure(pixels: Pixels, view: NDArray[np.float32]) -> dict[str, float]:
    """Measure a frame: cheap numbers that quality limits and domain checks are set on.

    Parameters
    ----------
    pixels
        (H, W) camera counts.
    view
        (H', W') float32, the frame normalised at the model's scale.

    Returns
    -------
    dict
        The measures of `core.imaging.planes.texture.describe`, and

        - ``contrast``: robust spread as a share of the background, before normalising.
        - ``saturated``: share of pixels at the camera's ceiling, see `saturated_fraction`.
        - ``blank``: 1 when all pixels are equal, else 0.
    """
    top, bottom = int(pixels.max()), int(pixels.min())
    return {
        "contrast": _contrast(pixels, view),
        "saturated": _saturated(pixels, top, bottom),
        "blank": float(top == bottom),
        **describe(view),
    }


def distance_to(measures: Mapping[str, float], limit: DistanceLimit) -> tuple[float, str]:
    """Return the distance of a frame's measures, and the measure that contributes most to it."""
    offset = np.array([measures[name] for name in limit.measures]) - np.array(limit.mean)
    shares = offset * (np.array(limit.precision) @ offset)
    return float(np.sqrt(max(shares.sum(), 0.0))), limit.measures[int(np.argmax(shares))]


def saturated_fraction(pixels: Pixels) -> float:
    """Share of pixels at the camera's ceiling, 0 to 1.

    The ceiling is the frame's highest value when that is the full scale of an 8-, 10-, 12-, 14-
    or 16-bit camera, or when pixels pile up at it: more than a thousandth of them, and more than
    in the whole next 2 % of the range below. A ceiling other than full scale is what software
    leaves that subtracts an offset or rescales.
    """
    return _saturated(pixels, int(pixels.max()), int(pixels.min()))


def _saturated(pixels: Pixels, top: int, bottom: int) -> float:
    at_top = int(np.count_nonzero(pixels == top))
    if top in FULL_SCALES:
        return at_top / pixels.size
    if at_top <= 1e-3 * pixels.size or top == bottom:
        return 0.0
    shoulder = top - max(2, (top - bottom) // 50)
    below = int(np.count_nonzero(pixels >= shoulder)) - at_top
    return at_top / pixels.size if at_top > below else 0.0


def fit_tiles(pixels: Pixels, grid: TileGrid) -> NDArray[np.bool_]:
    """Return which tiles hold an image at all: (rows, cols) bool.

    False where every pixel of a tile is 0 (the black border of a mosaic or of a round field) or
    every pixel is at the frame's ceiling (a bubble, a reflection). Such a tile shows nothing,
    so it must not count as a negative one.

    Parameters
    ----------
    pixels
        (H, W) camera counts. Their size may differ from the grid's where the frame was
        resampled; tiles are then looked up in proportion.
    """
    rows, cols = (
        (np.arange(count) * grid.tile_px * side // length).astype(np.intp)
        for count, side, length in zip(
            grid.shape, pixels.shape, (grid.height, grid.width), strict=True
        )
    )
    ceiling = int(pixels.max())
    full = ceiling in FULL_SCALES
    # By two pixels of each tile most frames are seen to have none without an image.
    corners, middles = (
        pixels[np.ix_(*places)] for places in ((rows, cols), _middles(pixels, rows, cols))
    )
    if not ((corners == middles) & ((corners == 0) | ((corners == ceiling) & full))).any():
        return np.ones(grid.shape, dtype=bool)
    # Band by band: numpy's reduceat over the long axis of a frame takes ten times as long.
    bands = np.split(pixels, rows[1:])
    highest = np.maximum.reduceat(np.stack([band.max(axis=0) for band in bands]), cols, axis=1)
    lowest = np.minimum.reduceat(np.stack([band.min(axis=0) for band in bands]), cols, axis=1)
    white = (lowest == ceiling) & full
    return np.asarray((highest > 0) & ~white, dtype=bool)


def _middles(
    pixels: Pixels, rows: NDArray[np.intp], cols: NDArray[np.intp]
) -> tuple[NDArray[np.intp], ...]:
    """Return the middle row and column of each tile that begins there."""
    return tuple(
        (starts + np.append(starts[1:], side)) // 2
        for starts, side in zip((rows, cols), pixels.shape, strict=True)
    )


def _contrast(pixels: Pixels, view: NDArray[np.float32]) -> float:
    """Robust spread over a smooth background, on every n-th pixel; 0 for a black frame.

    The background is as wide as at the model's scale whatever the camera's scale.
    """
    step = max(1, max(pixels.shape) // SAMPLE_SIDE_PX)
    sample = pixels[::step, ::step].astype(np.float32)
    mean = float(sample.mean())
    if mean <= 0:
        return 0.0
    sigma_px = BACKGROUND_PX * pixels.shape[0] / view.shape[0] / step
    smooth = coarse_background(sample, max(sigma_px, 1.0))
    # The spread needs fewer pixels than the background.
    fewer = sample_step(sample.size)
    background = smooth.every(fewer)
    np.maximum(background, np.float32(mean * 1e-3), out=background)
    return half_distance((sample[::fewer, ::fewer] - background) / background, USUAL_SHARE)
