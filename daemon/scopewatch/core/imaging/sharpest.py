"""Chooses the sharpest plane of a z-stack.

Rule: the frame is cut into blocks of 16 px. Each block votes for the plane in which it has the most
fine detail: the mean squared Laplacian of 2 x 2 px means, over the squared mean of the plane. The
score of a plane is its share of the votes, and the plane with the most votes is the sharpest. A
block that is the same in all planes does not vote. A tie goes to the plane nearest the middle of
the stack, then to the lower one.

Votes, since the sum of detail over a frame is ruled by a little very refractile matter: debris that
floats above the cells, or a dividing cell. Here it has no more votes than its area. Two by two
pixels, since camera noise is white and detail is not. `benchmarks/sharpest_plane.py` compares the
rule with others on simulated stacks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.frame import Pixels

RULE: Final = "most votes of 16 px blocks for the plane with the most fine detail"
BLOCK_PX: Final = 16
_MEAN_PX: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SharpestPlane:
    """The sharpest plane of a stack.

    Parameters
    ----------
    index
        Its index in the order in which the planes were given.
    scores
        Of each plane in that order: its share of the votes, 0 to 1. They add up to 1, or are all 0
        where no block could vote.
    """

    index: int
    scores: tuple[float, ...]


def sharpest_plane(planes: Iterable[Pixels], heights: Sequence[float]) -> SharpestPlane:
    """Choose the sharpest plane of a stack.

    Parameters
    ----------
    planes
        (H, W) camera counts of one position and channel, one size. They are taken one by one:
        an iterator that reads them keeps one in memory.
    heights
        Height or index of each plane, all different; they decide ties only, and are looked at
        once all planes are taken.

    Raises
    ------
    ValueError
        Without planes, with planes of several sizes, or with another number of heights.
    """
    most: NDArray[np.float32] | None = None
    least = np.zeros((0, 0), np.float32)
    winner = np.zeros((0, 0), np.intp)
    count = 0
    for count, plane in enumerate(planes, start=1):
        detail = _detail(plane)
        if most is None:
            most, least = detail, detail
            winner = np.zeros(detail.shape, np.intp)
            shape = plane.shape
            continue
        if plane.shape != shape:
            raise ValueError(f"planes of one stack differ in size: {shape} and {plane.shape}")
        winner[detail > most] = count - 1
        most, least = np.maximum(most, detail), np.minimum(least, detail)
    if most is None or count != len(heights):
        raise ValueError(f"{count} planes with {len(heights)} heights")
    if count == 1:
        return SharpestPlane(index=0, scores=(1.0,))
    votes = np.bincount(winner[most > least], minlength=count)
    middle = (min(heights) + max(heights)) / 2
    order = sorted(range(count), key=lambda each: (abs(heights[each] - middle), heights[each]))
    return SharpestPlane(
        index=max(order, key=lambda each: int(votes[each])),
        scores=tuple(float(share) for share in votes / max(int(votes.sum()), 1)),
    )


def _detail(plane: Pixels) -> NDArray[np.float32]:
    """Return (H // 16, W // 16) float32: mean squared Laplacian of each block, for a mean of 1."""
    small = _block_means(plane.astype(np.float32), _MEAN_PX)
    mean = float(small.mean()) if small.size else 0.0
    curved = np.zeros_like(small)
    curved[1:-1, 1:-1] = (
        small[:-2, 1:-1] + small[2:, 1:-1] + small[1:-1, :-2] + small[1:-1, 2:]
    ) - 4 * small[1:-1, 1:-1]
    curved *= curved
    return _block_means(curved, BLOCK_PX // _MEAN_PX) / np.float32(max(mean * mean, 1e-12))


def _block_means(plane: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return the means of whole square blocks, those cut by the border left out."""
    rows, cols = (length // side for length in plane.shape)
    blocks = plane[: rows * side, : cols * side].reshape(rows, side, cols, side)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)
