"""Planes of a data set, of which crops are read from disk without keeping files open.

A memory map that is kept costs an open file, and the pages read count as memory of this process. A
data set has two planes for each pair, so no map is kept: each crop opens one, copies and closes it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ConfigError, complaint

Window = tuple[slice, slice]


class Plane(Protocol):
    """A (H, W) plane, in memory or on disk; `plane[:, :]` reads all of it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W)."""
        ...

    def __getitem__(self, window: Window, /) -> NDArray[Any]:
        """Return a crop."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlane:
    """A plane in a .npy file, which is closed between two crops.

    Parameters
    ----------
    shape
        (H, W) that the file must have.
    """

    path: Path
    shape: tuple[int, ...]

    def __getitem__(self, window: Window, /) -> NDArray[Any]:
        """Copy a crop.

        Raises
        ------
        ConfigError
            When the file is gone, damaged or of another size.
        """
        plane = map_plane(self.path)
        if plane.shape != self.shape:
            raise ConfigError(
                complaint(
                    "data set is damaged",
                    where=self.path,
                    expected=f"{self.shape[0]} x {self.shape[1]} px",
                    got=" x ".join(str(side) for side in plane.shape),
                    do="run prepare again",
                )
            )
        return np.array(plane[window])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HiddenTiles:
    """A signal of which some tiles read as unknown (NaN).

    Parameters
    ----------
    hidden
        (rows, cols) bool: the tiles.
    """

    plane: Plane
    hidden: NDArray[np.bool_]
    tile_px: int

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W)."""
        return self.plane.shape

    def __getitem__(self, window: Window, /) -> NDArray[Any]:
        """Copy a crop as float32."""
        crop = np.array(self.plane[window], dtype=np.float32)
        rows, cols = (
            np.arange(side)[part] // self.tile_px
            for side, part in zip(self.shape, window, strict=True)
        )
        crop[self.hidden[np.ix_(rows, cols)]] = np.nan
        return crop


def map_plane(path: Path) -> NDArray[Any]:
    """Map a .npy file into memory, read-only, for the lifetime of the array.

    Raises
    ------
    ConfigError
        When it is gone or damaged.
    """
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError) as error:
        raise ConfigError(
            complaint("data set is damaged", where=path, got=error, do="run prepare again")
        ) from error
