"""Linear interpolation of the pixels of a side between the centres of its blocks."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
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
