"""Planes of all pairs as one array of which a viewer reads a slice at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Index = int | slice


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairStack:
    """(N, H, W) float32 over pairs that lie on disk; smaller ones are filled up with NaN.

    Parameters
    ----------
    shapes
        (H, W) of each pair.
    read
        Returns the plane of a pair by its number.
    """

    shapes: Sequence[tuple[int, int]]
    read: Callable[[int], NDArray[Any]]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(N, H, W)."""
        return (
            len(self.shapes),
            max(height for height, _ in self.shapes),
            max(width for _, width in self.shapes),
        )

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return 3

    @property
    def size(self) -> int:
        """Number of pixels."""
        count, height, width = self.shape
        return count * height * width

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """Type of the pixels."""
        return np.dtype(np.float32)

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, index: Index | tuple[Index, ...], /) -> NDArray[np.float32]:
        """Read the pairs that the first index names, then take the others within."""
        first, *within = index if isinstance(index, tuple) else (index,)
        if isinstance(first, slice):
            chosen = range(*first.indices(len(self)))
            planes = [self._plane(number)[tuple(within)] for number in chosen]
            if not planes:
                return np.empty((0, *self.shape[1:]), dtype=np.float32)[(slice(None), *within)]
            return np.stack(planes)
        number = int(first)
        if not -len(self) <= number < len(self):
            raise IndexError(f"pair {number} of {len(self)}")
        return self._plane(number % len(self))[tuple(within)]

    def __array__(
        self, dtype: np.dtype[Any] | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        """Read all of it."""
        return self[:].astype(dtype or self.dtype)

    def _plane(self, number: int) -> NDArray[np.float32]:
        plane = np.asarray(self.read(number), dtype=np.float32)
        _, height, width = self.shape
        if plane.shape == (height, width):
            return plane
        edges = ((0, height - plane.shape[0]), (0, width - plane.shape[1]))
        return np.pad(plane, edges, constant_values=np.nan)
