"""The signal of a pair: its fluorescence without background, or its mask."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging import histogram
from scopewatch.core.imaging.fluorescence_signal import (
    estimate_noise,
    match_size,
    smooth,
    subtract_background,
)
from scopewatch.core.imaging.planes.filters import block_means
from scopewatch_training.dataset.annotation import MASK_NOISE, POSITIVE_COUNTS
from scopewatch_training.dataset.manifest import PairRow
from scopewatch_training.dataset.pairs.background import Background, measure_background
from scopewatch_training.dataset.pairs.pair_pictures import PairPictures
from scopewatch_training.dataset.settings import PrepareSettings

Plane = NDArray[np.float32]

FAINT_SIGMAS: Final = 8.0
FAINT_SHARE: Final = 1e-3
"""Share of the pixels clearly above the noise below which nothing can be registered."""
_KNEE_SIGMAS: Final = 15.0
_LIT_PX: Final = 64
_LIT_SHARE: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairSignal:
    """A signal, not yet shifted onto its phase frame.

    Parameters
    ----------
    plane
        (H, W) of the view, in counts.
    noise
        Standard deviation of the camera's noise, in counts.
    lit
        As `Pair.lit`.
    share
        Share of the pixels that are clearly above the noise, or positive in the mask.
    background
        Of a camera's picture; None of a mask.
    """

    plane: Plane
    noise: float
    lit: float
    share: float
    background: Background | None

    @property
    def is_mask(self) -> bool:
        """Whether it was drawn, and not taken by a camera."""
        return self.background is None

    @property
    def faint(self) -> bool:
        """Whether it shows too little to register by."""
        return self.share < FAINT_SHARE

    def compressed(self) -> NDArray[np.floating]:
        """Return it on a scale on which few bright cells do not dominate a registration."""
        if self.is_mask:
            return histogram.asinh(self.plane)
        return histogram.asinh(np.maximum(self.plane, 0) / np.float32(_KNEE_SIGMAS * self.noise))


def make_signal(
    pictures: PairPictures, shape: tuple[int, int], row: PairRow, settings: PrepareSettings
) -> PairSignal:
    """Make the signal of a pair whose view has a (H, W) of `shape`.

    Raises
    ------
    FrameError
        When the two pictures have different proportions.
    """
    if pictures.area is not None:
        plane = _mask_signal(pictures.area, shape, row.fluorescence)
        # A mask has neither the fineness nor the glow of fluorescence.
        return PairSignal(
            plane=plane,
            noise=MASK_NOISE,
            lit=0.0,
            share=float(np.mean(plane > 0)),
            background=None,
        )
    counts = match_size(pictures.shown_fluorescence, shape, row.fluorescence)
    plane = smooth(subtract_background(counts), settings.smooth_px)
    noise = estimate_noise(plane)
    clear = plane > FAINT_SIGMAS * noise
    return PairSignal(
        plane=plane,
        noise=noise,
        lit=float(np.mean(block_means(clear, min(_LIT_PX, *shape)) > _LIT_SHARE)),
        share=float(np.mean(clear)),
        background=measure_background(counts, plane),
    )


def _mask_signal(area: NDArray[np.bool_], shape: tuple[int, int], where: object) -> Plane:
    """Return a positive area as a signal of the (H, W) of its phase frame.

    Raises
    ------
    FrameError
        When the two have different proportions.
    """
    plane = match_size(area.astype(np.uint8), shape, where)
    return np.where(plane >= 0.5, np.float32(POSITIVE_COUNTS), np.float32(0))
