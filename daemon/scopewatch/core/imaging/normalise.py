"""From camera counts to what the network sees: flat field, then robust contrast.

This is the only normalisation in the project. Training, quantisation and the daemon all call
`normalise`, so that a model only gets pixels prepared like those of its training.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.frame import Pixels

# Pixels worked on at once at most: 128 kB stay in the processor's cache.
STRIP_SIZE_PX: Final = 32_768
# Pixels of a sample that gives percentiles, about.
SAMPLE_PX: Final = 65_536
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
    background = _coarse_background(pixels, spec.background_px)
    floor = np.float32(max(background.mean * 1e-3, 1e-6))
    step = _sample_step(pixels.size)
    sample = pixels[::step, ::step].astype(np.float32)
    _divide_out(sample, background.every(step), floor)
    spread = _half_distance(sample, spec.contrast_share)
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


def robust_spread(plane: NDArray[np.float32], share: float = USUAL_SHARE) -> float:
    """Half the distance between the 5th and the 95th percentile of a (H, W) plane.

    With another `share` than 0.9: between the percentiles that enclose it, brought to what it
    would be for 0.9 if the values were normally distributed.

    Taken on a regular subsample of at most about 65 000 pixels: the percentiles of a frame do
    not need all of its millions.
    """
    step = _sample_step(plane.size)
    return _half_distance(plane[::step, ::step], share)


def _sample_step(size_px: int) -> int:
    """Return between which rows and columns of a plane its spread is taken."""
    return max(1, int(np.sqrt(size_px / SAMPLE_PX)))


def _half_distance(sample: NDArray[np.float32], share: float) -> float:
    """Return the spread of a sample as `robust_spread` defines it."""
    tail = 50 - 50 * share
    low, high = np.percentile(sample, (tail, 100 - tail))
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
    return _coarse_background(plane, sigma_px).at(slice(None))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Between:
    """How the pixels of a side lie between the centres of its blocks.

    `weight` weighs the block after `left`, the rest of 1 weighs `left` itself. The arrays have an
    entry for each pixel of a side. No matrix product: the threads of a linear algebra library cost
    more than the product itself.
    """

    left: NDArray[np.intp]
    weight: NDArray[np.float32]

    @classmethod
    def centres(cls, side_px: int, block_px: int, blocks: int) -> Self:
        """Lay the pixels of a side between the centres of its blocks; outside, the end goes on."""
        position = np.clip((np.arange(side_px) + 0.5) / block_px - 0.5, 0, blocks - 1)
        left = np.minimum(position.astype(np.intp), max(blocks - 2, 0))
        return cls(left=left, weight=(position - left).astype(np.float32))

    def interpolate(
        self,
        blocks: NDArray[np.float32],
        steps: NDArray[np.float32],
        pixels: slice = slice(None),
        scratch: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Map (blocks, n) and the steps from each block to the next to (pixels, n).

        Pixels between the same two blocks are laid into `scratch`, where it is given.
        """
        left, weight = self.left[pixels], self.weight[pixels, None]
        if scratch is not None and left[0] == left[-1]:
            between = scratch[: len(left) * blocks.shape[1]].reshape(len(left), -1)
            np.multiply(steps[left[0]], weight, out=between)
            between += blocks[left[0]]
            return between
        between = steps[left]
        between *= weight
        between += blocks[left]
        return between


@dataclass(frozen=True, slots=True, kw_only=True)
class _Background:
    """The smooth background of a plane, interpolated across but not yet down.

    Parameters
    ----------
    wide, steps
        (blocks, W), and the steps from each row to the next.
    mean
        Of the plane.
    """

    wide: NDArray[np.float32]
    steps: NDArray[np.float32]
    down: _Between
    mean: float

    def at(self, rows: slice, scratch: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Return the background of some rows of pixels, within `scratch` where it can be."""
        return self.down.interpolate(self.wide, self.steps, rows, scratch)

    def every(self, step: int) -> NDArray[np.float32]:
        """Return the background of every `step`-th row and column of pixels."""
        wide, steps = self.wide[:, ::step], self.steps[:, ::step]
        return self.down.interpolate(wide, steps, slice(None, None, step))

    def strips(self) -> Iterator[slice]:
        """Yield all rows in strips, each between the same two rows of blocks."""
        most = max(1, STRIP_SIZE_PX // self.wide.shape[1])
        edges = np.flatnonzero(np.diff(self.down.left, prepend=-1, append=-1))
        for top, stop in pairwise(edges.tolist()):
            for start in range(top, stop, most):
                yield slice(start, min(start + most, stop))


def _coarse_background(pixels: Pixels | NDArray[np.float32], sigma_px: float) -> _Background:
    """Smooth a (H, W) plane on its block means."""
    block = max(1, int(sigma_px / 4))
    height, width = pixels.shape
    tops, lefts = np.arange(0, height, block), np.arange(0, width, block)
    # Row by row first. Sums of counts are exact in any order up to 16 x 16 px of 16 bits.
    sums = np.add.reduceat(_sum_bands(pixels, block), lefts, axis=1)
    heights, widths = np.diff(np.append(tops, height)), np.diff(np.append(lefts, width))
    means = (sums / np.outer(heights, widths)).astype(np.float32)
    smooth = _smooth_down(
        np.ascontiguousarray(_smooth_down(means, sigma_px / block).T), sigma_px / block
    )
    across = _Between.centres(width, block, len(lefts)).interpolate(smooth, _steps(smooth))
    wide = np.ascontiguousarray(across.T)
    return _Background(
        wide=wide,
        steps=_steps(wide),
        down=_Between.centres(height, block, len(tops)),
        mean=float(sums.sum(dtype=np.float64)) / pixels.size,
    )


def _sum_bands(pixels: Pixels | NDArray[np.float32], block: int) -> NDArray[np.float32]:
    """Sum each `block` rows: (ceil(H / block), W). The last band may be lower."""
    whole = pixels.shape[0] // block * block
    bands = pixels[:whole].reshape(-1, block, pixels.shape[1])
    sums: NDArray[np.float32] = np.add.reduce(bands, axis=1, dtype=np.float32)
    if whole < pixels.shape[0]:
        rest = np.add.reduce(pixels[whole:], axis=0, dtype=np.float32)
        sums = np.concatenate([sums, rest[None]])
    return sums


def _steps(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the steps from each row of blocks to the next; from the last one there is none."""
    return np.diff(blocks, axis=0, append=blocks[-1:])


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
