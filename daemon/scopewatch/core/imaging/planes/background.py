"""The smooth background of a plane: a Gaussian of many pixels, on block means."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.frame import Pixels
from scopewatch.core.imaging.planes.between import Between

# Pixels worked on at once at most: 128 kB stay in the processor's cache.
STRIP_SIZE_PX: Final = 32_768


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
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
    down: Between
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


def coarse_background(pixels: Pixels | NDArray[np.float32], sigma_px: float) -> Background:
    """Gaussian-smooth a (H, W) plane with a standard deviation of many pixels.

    Done on block means of about a quarter of the deviation and interpolated back linearly:
    the same picture at a hundredth of the cost, to well under a percent inside and about one
    percent at the border of a steep slope.
    """
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
    across = Between.centres(width, block, len(lefts)).interpolate(smooth, _steps(smooth))
    wide = np.ascontiguousarray(across.T)
    return Background(
        wide=wide,
        steps=_steps(wide),
        down=Between.centres(height, block, len(tops)),
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
