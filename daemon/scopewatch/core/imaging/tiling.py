"""Tiles: the squares of a frame that are scored and counted one by one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ModelError, complaint


@dataclass(frozen=True, slots=True, kw_only=True)
class TileGrid:
    """How a frame is cut into square tiles, from the top left corner.

    Tiles that the right or lower border cuts are *partial*: they are scored and drawn, but
    marked invalid and never counted, since part of what was scored is padding.

    Parameters
    ----------
    height, width
        Of the frame, in pixels.
    tile_px
        Side of a tile, in pixels.
    """

    height: int
    width: int
    tile_px: int

    def __post_init__(self) -> None:
        if min(self.height, self.width, self.tile_px) < 1:
            raise ValueError(f"a tile grid needs positive sizes, not {self}")

    @property
    def rows(self) -> int:
        """Number of tile rows, partial ones included."""
        return -(-self.height // self.tile_px)

    @property
    def cols(self) -> int:
        """Number of tile columns, partial ones included."""
        return -(-self.width // self.tile_px)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""
        return self.rows, self.cols

    @property
    def padded_shape(self) -> tuple[int, int]:
        """(H, W) in pixels once every partial tile is filled up."""
        return self.rows * self.tile_px, self.cols * self.tile_px

    def whole(self) -> NDArray[np.bool_]:
        """Return (rows, cols) bool, False where the border cuts the tile."""
        mask = np.zeros(self.shape, dtype=bool)
        mask[: self.height // self.tile_px, : self.width // self.tile_px] = True
        return mask

    def pad(self, plane: NDArray[Any], *, value: float = 0.0) -> NDArray[Any]:
        """Fill a (H, W) plane up to `padded_shape` with `value`, below and to the right."""
        rows_px, cols_px = self.padded_shape
        if plane.shape == (rows_px, cols_px):
            return plane
        edges = ((0, rows_px - self.height), (0, cols_px - self.width))
        return np.pad(plane, edges, constant_values=value)

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """Lay (rows, cols) tile values back into the frame: (H, W), each tile flat."""
        laid = values.repeat(self.tile_px, axis=0).repeat(self.tile_px, axis=1)
        return laid[: self.height, : self.width]

    def means(self, plane: NDArray[Any]) -> NDArray[np.float32]:
        """Return the mean of a (H, W) plane in every tile: (rows, cols) float32.

        A partial tile's mean is over the pixels it has.
        """
        return self.means_of(lambda _, rows: plane[rows])

    def means_of(self, make: Callable[[int, slice], NDArray[Any]]) -> NDArray[np.float32]:
        """Return the mean in every tile of a plane that is made one row of tiles at a time.

        Such a strip stays in the processor's cache, and the plane never lies in memory whole.

        Parameters
        ----------
        make
            Called with each row of tiles and the slice of its pixel rows; returns the strip,
            (tile_px, W), the last one perhaps lower.
        """
        sums = np.empty((self.rows, self.width))
        for row in range(self.rows):
            rows = slice(row * self.tile_px, min((row + 1) * self.tile_px, self.height))
            np.add.reduce(make(row, rows), axis=0, dtype=np.float64, out=sums[row])
        row_edges = np.arange(0, self.height, self.tile_px)
        col_edges = np.arange(0, self.width, self.tile_px)
        heights = np.diff(np.append(row_edges, self.height))
        widths = np.diff(np.append(col_edges, self.width))
        sums = np.add.reduceat(sums, col_edges, axis=1)
        return np.asarray(sums / np.outer(heights, widths), dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TileScores:
    """The scores of the tiles of a frame.

    Parameters
    ----------
    probability
        (rows, cols) float32, 0 to 1: that the tile is positive.
    valid
        (rows, cols) bool: whether the tile counts (whole, and judged fit by quality).
    """

    grid: TileGrid
    probability: NDArray[np.float32]
    valid: NDArray[np.bool_]

    def __post_init__(self) -> None:
        _require_fit("tile probability", "tiles", self.grid, self.probability)
        _require_fit("tile valid", "tiles", self.grid, self.valid)
        _require_fractions("tiles", self.probability)
        self.probability.setflags(write=False)
        self.valid.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SquareScores:
    """The finer stain: the positive share of squares that are narrower than a tile.

    Parameters
    ----------
    grid
        How the frame is cut into these squares; its `tile_px` is their side.
    share
        (rows, cols) float32, 0 to 1.
    """

    grid: TileGrid
    share: NDArray[np.float32]

    def __post_init__(self) -> None:
        _require_fit("share of squares", "squares", self.grid, self.share)
        _require_fractions("squares", self.share)
        self.share.setflags(write=False)

    def of_tiles(self, tiles: NDArray[np.bool_], grid: TileGrid) -> NDArray[np.bool_]:
        """Return which squares lie in tiles that are True: (rows, cols) bool."""
        times = grid.tile_px // self.grid.tile_px
        each = tiles.repeat(times, axis=0).repeat(times, axis=1)
        return each[: self.grid.rows, : self.grid.cols]


def _require_fit(what: str, unit: str, grid: TileGrid, array: NDArray[Any]) -> None:
    if array.shape != grid.shape:
        raise ModelError(
            complaint(
                f"{what} does not fit the frame",
                where=f"{grid.height} x {grid.width} px frame",
                expected=f"{grid.shape} {unit}",
                got=f"{array.shape}",
                do="use a model bundle whose network fits its card",
            )
        )


def _require_fractions(where: str, array: NDArray[np.float32]) -> None:
    if not np.isfinite(array).all():
        raise ModelError(
            complaint("model gave scores that are not numbers", where=where, do="retrain it")
        )
    if array.min() < 0 or array.max() > 1:
        raise ModelError(
            complaint(
                "model gave scores that are not probabilities",
                where=where,
                expected="0 to 1",
                got=f"{array.min():.4g} to {array.max():.4g}",
                do="use a model that ends in a sigmoid",
            )
        )
