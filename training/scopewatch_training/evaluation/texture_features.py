"""Texture features of isolated tiles, for the random forest that is a baseline."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.feature import local_binary_pattern

from scopewatch.core.imaging.tiling import TileGrid

Plane = NDArray[np.float32]

_LEVELS: Final = 16
_GREY_RANGE: Final = 4.0
_DISTANCES: Final = (1, 4)
_PROPERTIES: Final = ("contrast", "homogeneity", "energy", "correlation")
_RADII: Final = (1, 3)
_SCALES: Final = (1.0, 2.0, 4.0, 8.0)
_SHARES: Final = (5, 25, 50, 75, 95)


def feature_names() -> list[str]:
    """Name the columns of `tile_features`."""
    names = ["mean", "std", "skewness", "kurtosis", *(f"p{share}" for share in _SHARES)]
    names += [f"{what}_{scale:g}px" for scale in _SCALES for what in ("blob", "edge", "edge_std")]
    names += [f"lbp{radius}_{code}" for radius in _RADII for code in range(10)]
    return names + [f"glcm_{what}_{away}px" for away in _DISTANCES for what in _PROPERTIES]


def tile_features(view: Plane, grid: TileGrid) -> NDArray[np.float32]:
    """Describe each tile of a normalised (H, W) view: (rows, cols, features) float32.

    Moments and percentiles; energy of blobs (difference of Gaussians) and of edges at four
    scales; uniform local binary patterns (Ojala et al., IEEE PAMI 24:971, 2002) at radius 1 and
    3; co-occurrence properties (Haralick et al., IEEE SMC 3:610, 1973) at distance 1 and 4,
    averaged over four directions. Features of the border tiles are of the padded tile.
    """
    columns = [*_moments(_tiles(view, grid))]
    narrow = view
    for scale in _SCALES:
        wide = ndimage.gaussian_filter(view, scale)
        blob, edge = narrow - wide, ndimage.gaussian_gradient_magnitude(view, scale)
        columns += [_root_mean_square(blob, grid), grid.means(edge), _deviation(edge, grid)]
        narrow = wide
    for radius in _RADII:
        columns += [*_pattern_shares(view, grid, radius)]
    columns += [*_co_occurrence(view, grid)]
    features = np.nan_to_num(np.stack(columns, axis=-1))
    return np.asarray(features, dtype=np.float32)


def _tiles(plane: NDArray[Any], grid: TileGrid) -> NDArray[Any]:
    """(rows, cols, tile_px, tile_px) view of a plane, padded."""
    side = grid.tile_px
    padded = grid.pad(plane)
    return padded.reshape(grid.rows, side, grid.cols, side).swapaxes(1, 2)


def _moments(tiles: NDArray[Any]) -> list[NDArray[Any]]:
    flat = tiles.reshape(*tiles.shape[:2], -1).astype(np.float64)
    mean = flat.mean(axis=-1, keepdims=True)
    centred = flat - mean
    std = np.sqrt(np.mean(centred**2, axis=-1)) + 1e-6
    skewness, kurtosis = (np.mean(centred**power, axis=-1) / std**power for power in (3, 4))
    return [mean[..., 0], std, skewness, kurtosis, *np.percentile(flat, _SHARES, axis=-1)]


def _root_mean_square(plane: Plane, grid: TileGrid) -> NDArray[np.float32]:
    return np.asarray(np.sqrt(grid.means(np.square(plane))), dtype=np.float32)


def _deviation(plane: Plane, grid: TileGrid) -> NDArray[np.float32]:
    variance = grid.means(np.square(plane)) - np.square(grid.means(plane))
    return np.asarray(np.sqrt(np.maximum(variance, 0)), dtype=np.float32)


def _pattern_shares(view: Plane, grid: TileGrid, radius: int) -> list[NDArray[Any]]:
    """Share of each of the ten uniform patterns in each tile."""
    # scikit-image's functions carry no types. Whole grey levels keep noise from making patterns.
    patterns: Callable[..., NDArray[np.float64]] = local_binary_pattern
    codes = patterns(_quantise(view, 256), 8, radius, method="uniform")
    return [grid.means((codes == code).astype(np.float32)) for code in range(10)]


def _co_occurrence(view: Plane, grid: TileGrid) -> list[NDArray[Any]]:
    """Contrast, homogeneity, energy and correlation of each tile at each distance."""
    side, columns = grid.tile_px, []
    tiles = _tiles(_quantise(view, _LEVELS), grid).reshape(-1, side, side).astype(np.intp)
    for away in _DISTANCES:
        steps = [(0, away), (away, 0), (away, away), (away, -away)]
        each = np.mean([_properties(_pair_shares(tiles, step)) for step in steps], axis=0)
        columns += [column.reshape(grid.shape) for column in each]
    return columns


def _pair_shares(tiles: NDArray[np.intp], step: tuple[int, int]) -> NDArray[np.float64]:
    """Symmetric co-occurrence matrix of each tile: (tiles, levels, levels), summing to 1.

    All tiles at once: scikit-image's graycomatrix takes one image a call, a hundred times slower.
    """
    side = tiles.shape[1]
    (top, below), (left, right) = (
        (slice(max(0, -by), side - max(0, by)), slice(max(0, by), side - max(0, -by)))
        for by in step
    )
    codes = tiles[:, top, left] * _LEVELS + tiles[:, below, right]
    codes += (np.arange(len(tiles)) * _LEVELS**2)[:, None, None]
    counts = np.bincount(codes.ravel(), minlength=len(tiles) * _LEVELS**2)
    matrix = counts.reshape(len(tiles), _LEVELS, _LEVELS).astype(np.float64)
    matrix += matrix.swapaxes(1, 2)
    return np.asarray(matrix / matrix.sum(axis=(1, 2), keepdims=True))


def _properties(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, tiles): contrast, homogeneity, energy, correlation; a flat tile correlates wholly."""
    level = np.arange(_LEVELS)
    squared = np.square(level[:, None] - level[None, :])
    shares = matrix.sum(axis=2)
    mean = shares @ level
    variance = shares @ np.square(level) - np.square(mean)
    product = np.einsum("nij,i,j->n", matrix, level, level) - np.square(mean)
    correlation = np.ones_like(mean)
    np.divide(product, variance, out=correlation, where=variance > 1e-12)
    return np.stack(
        [
            np.einsum("nij,ij->n", matrix, squared),
            np.einsum("nij,ij->n", matrix, 1 / (1 + squared)),
            np.sqrt(np.einsum("nij,nij->n", matrix, matrix)),
            correlation,
        ]
    )


def _quantise(view: Plane, levels: int) -> NDArray[np.uint8]:
    """Grey levels of -4 .. 4, the range that nearly all of a normalised view lies in."""
    share = (view + _GREY_RANGE) / (2 * _GREY_RANGE)
    return np.asarray(np.clip(share * levels, 0, levels - 1), dtype=np.uint8)
