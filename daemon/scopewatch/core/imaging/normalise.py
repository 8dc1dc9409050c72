"""From camera counts to what the network sees: flat field, then robust contrast.

This is the only normalisation in the project. Training, quantisation and the daemon all call
`normalise`, so that a model only gets pixels prepared like those of its training.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.frame import Pixels
from scopewatch.core.imaging.planes.background import STRIP_SIZE_PX, coarse_background
from scopewatch.core.imaging.planes.spread import USUAL_SHARE, half_distance, sample_step


@dataclass(frozen=True, slots=True, kw_only=True)
class NormaliseSpec:
    """Settings of the normalisation; they travel in the model card.

    Parameters
    ----------
    background_px
        Standard deviation of the Gaussian that makes the background, in pixels: far larger than
        a cell, so that cells are kept and uneven illumination is divided out.
    contrast_floor
        Lower bound of the contrast divisor, as a fraction of the background, so that an empty
        field is not blown up into noise.
    contrast_share
        Share of the pixels, the middle ones, whose spread is the contrast. It must be below the
        share of pixels that show no cell, or a frame's contrast depends on how many cells it
        holds: 0.9 for tissue that covers the frame, 0.5 for cells that lie apart.
    clip
        Normalised values are clipped to +-clip: halos and debris must not use up the range of
        the int8 input.
    """

    background_px: float = 64.0
    contrast_floor: float = 0.01
    contrast_share: float = USUAL_SHARE
    clip: float = 6.0

    def __post_init__(self) -> None:
        if self.background_px < 4 or self.contrast_floor <= 0 or self.clip <= 0:
            raise ValueError(f"impossible normalisation settings: {self}")
        if not 0.1 <= self.contrast_share < 1:
            raise ValueError(f"contrast_share must be 0.1 to below 1: {self}")


def normalise(pixels: Pixels | NDArray[np.float32], spec: NormaliseSpec) -> NDArray[np.float32]:
    """Normalise a frame.

    The background is divided out (phase contrast is multiplicative in the illumination), the
    rest is divided by its robust spread: half the distance between the 5th and 95th percentile,
    which a Gaussian texture puts at 1.64 standard deviations. With another `contrast_share` the
    percentiles lie elsewhere, and a Gaussian texture comes out alike.

    Parameters
    ----------
    pixels
        (H, W) camera counts.

    Returns
    -------
    (H, W) float32 around 0, within +-spec.clip; all zero for a constant frame.
    """
    background = coarse_background(pixels, spec.background_px)
    floor = np.float32(max(background.mean * 1e-3, 1e-6))
    step = sample_step(pixels.size)
    sample = pixels[::step, ::step].astype(np.float32)
    _divide_out(sample, background.every(step), floor)
    spread = half_distance(sample, spec.contrast_share)
    scale = np.float32(1 / max(spread, spec.contrast_floor))
    plane = np.empty(pixels.shape, dtype=np.float32)
    # One strip through all steps: it stays in the processor's cache.
    scratch = np.empty(STRIP_SIZE_PX + pixels.shape[1], dtype=np.float32)
    for rows in background.strips():
        strip = plane[rows]
        np.copyto(strip, pixels[rows])
        _divide_out(strip, background.at(rows, scratch), floor)
        strip *= scale
        np.clip(strip, -spec.clip, spec.clip, out=strip)
    return plane


def _divide_out(
    strip: NDArray[np.float32], background: NDArray[np.float32], floor: np.float32
) -> None:
    """Replace counts by their distance from the background, as a share of it."""
    # Where there is no light at all (the black border of a mosaic) this leaves 0, not -1.
    strip -= background
    # Looked for first, since numpy compares with a number several times as slowly.
    if background.min() < floor:
        np.maximum(background, floor, out=background)
    strip /= background
