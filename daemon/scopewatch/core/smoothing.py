"""Gaussian and box filters of a few pixels, as sums of shifted planes.

scipy.ndimage walks a plane line by line in double precision. Sums of whole shifted planes come to
the same, to the last digits of float32, in a third of the time: a plane is padded once and then
taken as one long row, in which a step down is a step by the padded width. What such a row mixes
across the border of the plane lies in the padding.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

# Rows worked on at once, so that they stay in the processor's cache.
_STRIP_PX: Final = 64


def gaussian(plane: Plane, sigma_px: float, *, truncate: float = 4.0) -> Plane:
    """Gaussian-smooth a (H, W) plane, mirrored at its borders; float32.

    Parameters
    ----------
    sigma_px
        Standard deviation, above 0.
    truncate
        Standard deviations at which the kernel ends.
    """
    reach = int(truncate * sigma_px + 0.5)
    kernel = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / sigma_px))
    weights = (kernel / kernel.sum())[reach:].astype(np.float32)
    height, width = plane.shape
    padded = np.pad(plane, reach, mode="symmetric").astype(np.float32, copy=False)
    smooth = np.empty((height, width), dtype=np.float32)
    for top in range(0, height, _STRIP_PX):
        rows = min(_STRIP_PX, height - top)
        down = _weigh(padded[top : top + rows + 2 * reach].ravel(), weights, padded.shape[1])
        smooth[top : top + rows] = _rows(_weigh(down, weights, 1), rows, width, padded.shape[1])
    return smooth


def box_mean(plane: Plane, size_px: int) -> Plane:
    """Mean of a (H, W) plane over squares of an odd `size_px`, its border continued; float32."""
    height, width = plane.shape
    padded = np.pad(plane, size_px // 2, mode="edge").astype(np.float32, copy=False)
    mean = np.empty((height, width), dtype=np.float32)
    share = np.float32(1 / size_px**2)
    for top in range(0, height, _STRIP_PX):
        rows = min(_STRIP_PX, height - top)
        down = _sum_runs(padded[top : top + rows + size_px - 1].ravel(), size_px, padded.shape[1])
        across = _rows(_sum_runs(down, size_px, 1), rows, width, padded.shape[1])
        np.multiply(across, share, out=mean[top : top + rows])
    return mean


def _weigh(line: Plane, weights: Plane, step: int) -> Plane:
    """Weigh each value and its neighbours at 1, 2, .. steps to both sides; they lose their ends."""
    reach = (len(weights) - 1) * step
    length = line.size - 2 * reach
    total = line[reach : reach + length] * weights[0]
    for way, weight in enumerate(weights[1:], start=1):
        before, after = reach - way * step, reach + way * step
        both = line[before : before + length] + line[after : after + length]
        both *= weight
        total += both
    return np.asarray(total)


def _sum_runs(line: Plane, count: int, step: int) -> Plane:
    """Sum each value and those at 1 to `count` - 1 steps behind it, by sums of 1, 2, 4, .. values.

    No running sum: the error of one would grow along the line.
    """
    length = line.size - (count - 1) * step
    total = np.zeros(length, dtype=np.float32)
    sums, size, start = line, 1, 0
    while True:
        if count & size:
            total += sums[start : start + length]
            start += size * step
        if 2 * size > count:
            return total
        sums = sums[: -size * step] + sums[size * step :]
        size *= 2


def _rows(line: Plane, rows: int, width: int, stride: int) -> Plane:
    """See a line as (rows, width), each row `stride` values after the one before."""
    # The last row is short by what was padding: no reshape, but nothing beyond the end is seen.
    return np.lib.stride_tricks.as_strided(
        line, (rows, width), (stride * line.itemsize, line.itemsize), writeable=False
    )
