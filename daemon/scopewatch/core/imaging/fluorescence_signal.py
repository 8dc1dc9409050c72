"""The fluorescence signal: counts above an uneven background, with the camera's noise known."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.imaging.planes.filters import gaussian
from scopewatch.core.imaging.tiling import TileGrid

Plane = NDArray[np.float32]
Array = NDArray[np.float64]

_BLOCK_PX: Final = 16
_ROUNDS: Final = 30
_ABOVE_WEIGHT: Final = 0.001
_LEVEL_PULL: Final = 0.1
_QUIET: Final = 1.6
_QUIET_SHARE: Final = 0.15
_ONE_KIND: Final = 3.0
_NEAR_FLOOR: Final = 0.15
_QUANTISATION: Final = 0.29
_SHAPE_TOLERANCE: Final = 0.02


def match_size(pixels: NDArray[np.generic], shape: tuple[int, int], where: object) -> Plane:
    """Resample a fluorescence frame to the (H, W) of its phase frame, as float32.

    Raises
    ------
    FrameError
        When the two have different proportions: they do not show the same field.
    """
    plane = pixels.astype(np.float32)
    if plane.shape == shape:
        return plane
    down, across = (mine / other for mine, other in zip(plane.shape, shape, strict=True))
    if abs(down / across - 1) > _SHAPE_TOLERANCE:
        raise FrameError(
            complaint(
                "fluorescence does not cover the field of its phase frame",
                where=where,
                expected=f"the proportions of {shape[0]} x {shape[1]} px",
                got=f"{plane.shape[0]} x {plane.shape[1]} px",
                do="export both channels uncropped",
            )
        )
    # Where the frame shrinks the kernel is widened by as much, which averages and never aliases.
    resized = Image.fromarray(plane).resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    return np.array(resized, dtype=np.float32)


def subtract_background(plane: Plane) -> Plane:
    """Subtract a smooth background surface from a (H, W) fluorescence frame.

    A quadratic surface is laid under the means of 16 px blocks by asymmetric least squares
    (Eilers, Anal. Chem. 75:3631, 2003): blocks above it hardly weigh, so that it is the lower
    envelope of the frame. A pull towards a level plane keeps it from rising into a dense
    positive region that leaves no background on its side of the frame. Where every part of the
    frame has blocks that show nothing but noise, the surface is then fitted to those alone,
    unless they are of two kinds or others lie far below them: in a nearly full frame the
    quietest blocks are the insides of positive cells.
    """
    grid = TileGrid(height=plane.shape[0], width=plane.shape[1], tile_px=_BLOCK_PX)
    means = grid.means(plane)
    values = means.astype(np.float64).ravel()
    terms = _terms(*(_positions(count) for count in grid.shape))
    solution = _lay_under(values, terms)
    scatter = _scatter(plane, means, grid)
    noise = max(float(np.percentile(scatter, 10)), 1e-6)
    quiet = scatter <= _QUIET * noise
    if _everywhere(quiet):
        fitted, spread = _fit_clipped(values[quiet.ravel()], terms[quiet.ravel()])
        # Quiet blocks of two kinds are background and the inside of smooth positive regions.
        of_one_kind = spread <= _ONE_KIND * noise
        above = values - terms @ fitted
        near_floor = -above.min() <= max(_ONE_KIND * noise, _NEAR_FLOOR * float(np.ptp(above)))
        if of_one_kind and near_floor:
            solution = fitted
    rows, cols = (
        ((np.arange(side) + 0.5) / (_BLOCK_PX * count) * 2 - 1).astype(np.float32)
        for side, count in zip(plane.shape, grid.shape, strict=True)
    )
    level, down, across, down2, across2, both = solution.astype(np.float32)
    surface = (level + down * rows + down2 * rows**2)[:, None] + np.outer(both * rows, cols)
    surface += (across * cols + across2 * cols**2)[None, :]
    return np.asarray(plane - surface, dtype=np.float32)


def smooth(plane: Plane, smooth_px: float) -> Plane:
    """Gaussian-smooth a plane to take out the camera's noise; unchanged for 0."""
    if smooth_px == 0:
        return plane
    return gaussian(plane, smooth_px, truncate=3.0)


def remove_glow(signal: Plane, glow_px: int, glow_share: float) -> Plane:
    """Take away the glow that bright cells cast about them; unchanged for 0 px.

    The light of a cell spreads beyond its border by optics alone, and the farther above a
    threshold the brighter the cell: one threshold draws bright cells too large and dim ones too
    small. A pixel that has less than `glow_share` of the brightest signal within a square of
    +-`glow_px` about it is therefore no cell. Thresholds and noise are those of the signal as it
    was before.

    Parameters
    ----------
    signal
        (H, W) float32 counts above background; NaN where unknown.
    glow_px
        How far a cell's glow reaches, in pixels; less than the way between cells that differ in
        brightness.
    glow_share
        0 to 1. About a half is where the image of a blurred border has that border.
    """
    if glow_px == 0:
        return signal
    from scipy import ndimage  # noqa: PLC0415 - slow to load, and for the final day alone

    brightest = ndimage.maximum_filter(
        np.where(np.isfinite(signal), signal, -np.inf), size=2 * glow_px + 1, mode="nearest"
    )
    with np.errstate(invalid="ignore"):
        is_glow = signal < np.float32(glow_share) * brightest
    return np.asarray(np.where(is_glow, np.minimum(signal, 0), signal), dtype=np.float32)


def estimate_noise(plane: Plane) -> float:
    """Standard deviation of the noise of a (H, W) plane, in counts.

    The tenth percentile over 16 px blocks of their standard deviation: the quietest blocks show
    background alone. Never below that of rounding to whole counts.
    """
    grid = TileGrid(height=plane.shape[0], width=plane.shape[1], tile_px=_BLOCK_PX)
    variance = _variance(plane, grid.means(plane), grid)
    return max(float(np.sqrt(np.percentile(variance, 10))), _QUANTISATION)


def _variance(plane: Plane, means: Plane, grid: TileGrid) -> Plane:
    """Variance of each block about its mean: (rows, cols)."""

    def squares(row: int, rows: slice) -> Plane:
        centred = plane[rows] - means[row].repeat(grid.tile_px)[: grid.width]
        return np.asarray(np.square(centred, out=centred))

    return grid.means_of(squares)


def _lay_under(values: Array, terms: Array) -> Array:
    """Lower envelope by asymmetric least squares: the six coefficients."""
    pull = np.diag([0.0] + [_LEVEL_PULL * values.size] * (terms.shape[1] - 1))
    weights = np.full_like(values, 0.5)
    solution = np.zeros(terms.shape[1])
    for _ in range(_ROUNDS):
        weighted = terms * weights[:, None]
        normal = terms.T @ weighted + pull * weights.mean()
        solution = np.linalg.solve(normal, weighted.T @ values)
        fresh = np.where(values > terms @ solution, _ABOVE_WEIGHT, 1 - _ABOVE_WEIGHT)
        if np.array_equal(fresh, weights):
            break
        weights = fresh
    return solution


def _scatter(plane: Plane, means: Plane, grid: TileGrid) -> Plane:
    """Standard deviation of each block about its slope; cells have borders, background has not."""
    variance = _variance(plane, means, grid).astype(np.float64)
    down, across = (
        np.arange(side, dtype=np.float32) % grid.tile_px - np.float32((grid.tile_px - 1) / 2)
        for side in plane.shape
    )
    for lever, moment in (
        (down, grid.means_of(lambda _, rows: plane[rows] * down[rows, None])),
        (across, grid.means_of(lambda _, rows: plane[rows] * across)),
    ):
        variance -= np.square(moment) / float(np.mean(np.square(lever)))
    return np.asarray(np.sqrt(np.maximum(variance, 0)), dtype=np.float32)


def _everywhere(quiet: NDArray[np.bool_]) -> bool:
    """Whether each of 3 x 3 parts of the frame has its share of quiet blocks."""
    parts = [part for band in np.array_split(quiet, 3) for part in np.array_split(band, 3, axis=1)]
    return all(part.size > 0 and part.mean() >= _QUIET_SHARE for part in parts)


def _fit_clipped(values: Array, terms: Array) -> tuple[Array, float]:
    """Least squares without the blocks that lie far above: the glow beside a bright colony.

    Returns the coefficients and the robust spread of what was kept.
    """
    kept = np.ones(values.size, dtype=bool)
    solution: Array = np.zeros(terms.shape[1])
    spread = 0.0
    for _ in range(5):
        # By the normal equations: thousands of rows take a hundred times as long.
        rows = terms[kept]
        solution = np.asarray(np.linalg.lstsq(rows.T @ rows, rows.T @ values[kept], rcond=None)[0])
        residual = values - terms @ solution
        middle = float(np.median(residual[kept]))
        spread = 1.4826 * float(np.median(np.abs(residual[kept] - middle)))
        kept = residual <= middle + 2.5 * max(spread, 1e-6)
        if np.count_nonzero(kept) < 2 * terms.shape[1]:
            break
    return solution, spread


def _positions(count: int) -> Array:
    """Block centres on -1 .. 1."""
    return (np.arange(count) + 0.5) / count * 2 - 1


def _terms(rows: Array, cols: Array) -> Array:
    """(blocks, 6) terms of a quadratic surface."""
    y, x = (axis.ravel() for axis in np.meshgrid(rows, cols, indexing="ij"))
    return np.stack([np.ones_like(y), y, x, y * y, x * x, x * y], axis=1)
