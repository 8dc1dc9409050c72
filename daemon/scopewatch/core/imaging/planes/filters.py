"""Filters of planes: Gaussian, means of boxes about each pixel, and means of blocks.

They do what `scipy.ndimage` does, within the rounding of float32, in a third to a half of the time:
it works line by line in float64, and columns of a plane lie far apart in memory. Here whole rows
are added, in strips that stay in the processor's cache.
"""

from collections.abc import Iterator
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Border = Literal["edge", "symmetric"]

_STRIP_SIZE_PX: Final = 65_536
_FEWEST_ROWS: Final = 16


def gaussian(plane: Plane, sigma_px: float, truncate: float = 4.0) -> Plane:
    """Gaussian-smooth a (H, W) float32 plane; mirrored at its border.

    Parameters
    ----------
    truncate
        Standard deviations at which the kernel ends.
    """
    reach = int(truncate * sigma_px + 0.5)
    places = np.arange(reach + 1)
    kernel = np.exp(-0.5 * np.square(places / sigma_px))
    kernel /= kernel[0] + 2 * kernel[1:].sum()
    smoothed = np.empty(plane.shape, dtype=np.float32)
    width = plane.shape[1]
    down = np.empty((_strip_rows(width), width + 2 * reach), dtype=np.float32)
    scratch = np.empty_like(down)
    for rows, strip in padded_strips(plane, reach, "symmetric"):
        count = rows.stop - rows.start
        between = down[:count]
        _weigh(strip, kernel, between, scratch[:count])
        _weigh(between.T, kernel, smoothed[rows].T, scratch[:count, :width].T)
    return smoothed


def box_mean(plane: Plane, side_px: int, border: Border = "edge") -> Plane:
    """Return the mean of the square about each pixel of a (H, W) float32 plane.

    Parameters
    ----------
    side_px
        Of the square; odd.
    border
        As for `padded_strips`.
    """
    reach = side_px // 2
    means = np.empty(plane.shape, dtype=np.float32)
    width = plane.shape[1]
    size = (_strip_rows(width) + 2 * reach, width + 2 * reach)
    scratch = np.empty((3, *size), dtype=np.float32)
    for rows, strip in padded_strips(plane, reach, border):
        down = scratch[2, : rows.stop - rows.start]
        _add_neighbours(strip, side_px, down, scratch[:2])
        _add_neighbours(down.T, side_px, means[rows].T, scratch[:2].transpose(0, 2, 1))
        means[rows] *= np.float32(1 / side_px**2)
    return means


def block_means(plane: NDArray[np.floating | np.integer | np.bool_], side_px: int) -> Plane:
    """Return the float32 means of blocks; incomplete blocks at the lower right are left out.

    Parameters
    ----------
    plane
        (H, W) of any number type; itself, as float32, for blocks of one pixel.
    """
    if side_px == 1:
        return plane.astype(np.float32, copy=False)
    rows, cols = (side // side_px * side_px for side in plane.shape)
    # Whole rows, then columns: numpy sums along two axes that lie apart ten times as slowly.
    down = plane[0:rows:side_px].astype(np.float32)
    for place in range(1, side_px):
        down += plane[place:rows:side_px]
    means = down[:, 0:cols:side_px].copy()
    for place in range(1, side_px):
        means += down[:, place:cols:side_px]
    means *= np.float32(1 / side_px**2)
    return means


def padded_strips(plane: Plane, reach_px: int, border: Border) -> Iterator[tuple[slice, Plane]]:
    """Yield a plane in strips with `reach_px` pixels about each.

    Parameters
    ----------
    border
        What lies beyond the border: its last pixel, or the plane mirrored.

    Yields
    ------
    The slice of rows, and the strip: (rows + 2 reach, W + 2 reach), overwritten by the next one.
    """
    height, width = plane.shape
    rows, cols = (np.pad(np.arange(side), reach_px, mode=border) for side in plane.shape)
    step = _strip_rows(width)
    scratch = np.empty((step + 2 * reach_px, width + 2 * reach_px), dtype=np.float32)
    for top in range(0, height, step):
        bottom = min(top + step, height)
        strip = scratch[: bottom - top + 2 * reach_px]
        strip[:, reach_px : reach_px + width] = plane[rows[top : bottom + 2 * reach_px]]
        if reach_px:
            strip[:, :reach_px] = strip[:, reach_px + cols[:reach_px]]
            strip[:, -reach_px:] = strip[:, reach_px + cols[-reach_px:]]
        yield slice(top, bottom), strip


def _strip_rows(width: int) -> int:
    return max(_FEWEST_ROWS, _STRIP_SIZE_PX // width)


def _weigh(lines: Plane, kernel: NDArray[np.float64], total: Plane, scratch: Plane) -> None:
    """Sum neighbouring rows by the weights of a symmetric kernel, from its middle, into `total`."""
    reach, count = len(kernel) - 1, len(total)
    np.multiply(lines[reach : reach + count], np.float32(kernel[0]), out=total)
    for away in range(1, reach + 1):
        before, after = reach - away, reach + away
        np.add(lines[before : before + count], lines[after : after + count], out=scratch)
        scratch *= np.float32(kernel[away])
        total += scratch


def _add_neighbours(lines: Plane, number: int, total: Plane, scratch: Plane) -> None:
    """Sum each `number` neighbouring rows into `total`.

    Sums of 2, 4, 8 rows are made of each other, so that 21 rows take six additions, and errors do
    not grow along the plane as those of a running sum do.
    """
    count = len(lines) - number + 1
    wide, start, turn = 1, 0, 0
    total[:] = 0
    while number:
        if number % 2:
            total += lines[start : start + count]
            start += wide
        number //= 2
        if number:
            doubled = scratch[turn, : len(lines) - wide, : lines.shape[1]]
            np.add(lines[:-wide], lines[wide:], out=doubled)
            lines, wide, turn = doubled, 2 * wide, 1 - turn
