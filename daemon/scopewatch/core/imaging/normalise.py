"""From camera counts to what the network sees: flat field, then robust contrast.

This is the only normalisation in the project. Training, quantisation and the daemon all call
`normalise`, so that a model only gets pixels prepared like those of its training.
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.frame import Pixels

# Rows worked on at once: a strip of a large frame then stays in the processor's cache.
STRIP_PX: Final = 128
# Of the pixels, between the 5th and the 95th percentile.
USUAL_SHARE: Final = 0.9


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
    plane = pixels.astype(np.float32)
    floor = np.float32(max(float(plane.mean()) * 1e-3, 1e-6))
    wide, down = _coarse_background(plane, spec.background_px)
    strips = [slice(top, top + STRIP_PX) for top in range(0, plane.shape[0], STRIP_PX)]
    for rows in strips:
        strip, background = plane[rows], down.interpolate(wide, rows)
        # Where there is no light at all (the black border of a mosaic) this leaves 0, not -1.
        strip -= background
        strip /= np.maximum(background, floor, out=background)
    scale = np.float32(1 / max(robust_spread(plane, spec.contrast_share), spec.contrast_floor))
    for rows in strips:
        strip = plane[rows]
        strip *= scale
        np.clip(strip, -spec.clip, spec.clip, out=strip)
    return plane


def robust_spread(plane: NDArray[np.float32], share: float = USUAL_SHARE) -> float:
    """Half the distance between the 5th and the 95th percentile of a (H, W) plane.

    With another `share` than 0.9: between the percentiles that enclose it, brought to what it
    would be for 0.9 if the values were normally distributed.

    Taken on a regular subsample of at most about 65 000 pixels: the percentiles of a frame do
    not need all of its millions.
    """
    step = max(1, int(np.sqrt(plane.size / 65_536)))
    tail = 50 - 50 * share
    low, high = np.percentile(plane[::step, ::step], (tail, 100 - tail))
    return float(high - low) / 2 * (_deviations(USUAL_SHARE) / _deviations(share))


def _deviations(share: float) -> float:
    """Standard deviations to each side of a normal distribution that enclose a share of it."""
    return NormalDist().inv_cdf((1 + share) / 2)


def smooth_background(plane: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """Gaussian-smooth a (H, W) plane with a standard deviation of many pixels.

    Done on block means of about a quarter of the deviation and interpolated back linearly:
    the same picture at a hundredth of the cost, to well under a percent inside and about one
    percent at the border of a steep slope.
    """
    wide, down = _coarse_background(plane, sigma_px)
    return down.interpolate(wide)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Between:
    """Linear interpolation between the centres of blocks: `right` weighs `weight`, `left` the rest.

    The arrays have an entry for each pixel of a side. No matrix product: the threads of a linear
    algebra library cost more than the product itself.
    """

    left: NDArray[np.intp]
    right: NDArray[np.intp]
    weight: NDArray[np.float32]

    @classmethod
    def centres(cls, side_px: int, block_px: int, blocks: int) -> Self:
        """Lay the pixels of a side between the centres of its blocks; outside, the end goes on."""
        position = np.clip((np.arange(side_px) + 0.5) / block_px - 0.5, 0, blocks - 1)
        left = np.minimum(position.astype(np.intp), max(blocks - 2, 0))
        return cls(
            left=left,
            right=np.minimum(left + 1, blocks - 1),
            weight=(position - left).astype(np.float32),
        )

    def interpolate(
        self, blocks: NDArray[np.float32], pixels: slice = slice(None)
    ) -> NDArray[np.float32]:
        """Map (blocks, n) to (pixels, n)."""
        low = blocks[self.left[pixels]]
        high = blocks[self.right[pixels]]
        high -= low
        high *= self.weight[pixels, None]
        high += low
        return high


def _coarse_background(
    plane: NDArray[np.float32], sigma_px: float
) -> tuple[NDArray[np.float32], _Between]:
    """Return the background interpolated across, (blocks, W), and how rows lie between blocks."""
    block = max(1, int(sigma_px / 4))
    rows, cols = (-(-side // block) for side in plane.shape)
    row_edges, col_edges = np.arange(rows) * block, np.arange(cols) * block
    sums = np.add.reduceat(np.add.reduceat(plane, col_edges, axis=1), row_edges, axis=0)
    heights = np.diff(np.append(row_edges, plane.shape[0]))
    widths = np.diff(np.append(col_edges, plane.shape[1]))
    means = (sums / np.outer(heights, widths)).astype(np.float32)
    smooth = _smooth_down(
        np.ascontiguousarray(_smooth_down(means, sigma_px / block).T), sigma_px / block
    )
    across = _Between.centres(plane.shape[1], block, cols).interpolate(smooth)
    return np.ascontiguousarray(across.T), _Between.centres(plane.shape[0], block, rows)


def _smooth_down(blocks: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Gaussian-smooth (blocks, n) along its first axis; beyond the ends the end goes on."""
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    padded = np.pad(blocks, ((reach, reach), (0, 0)), mode="edge")
    smooth, part = np.zeros_like(blocks), np.empty_like(blocks)
    for offset, weight in enumerate(weights):
        smooth += np.multiply(padded[offset : offset + len(blocks)], weight, out=part)
    return smooth
