"""The virtual stain laid over the phase frame, as a picture and as data.

It shows the probabilities of tiles or, where the network gives a finer stain, narrower squares.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.caption import PAPER, Caption, Legend, draw_badge, draw_bar
from scopewatch.core.imaging.planes.grey import AVERAGE_GREY, draw_grey, picture_size
from scopewatch.core.imaging.tiling import SquareScores, TileGrid, TileScores

GREEN: Final = (0, 230, 90)
FAINT_ALPHA: Final = 0.1
POSITIVE_ALPHA: Final = (0.3, 0.55)
GRID_ALPHA: Final = 0.3
HATCH_KEEPS: Final = (0.45, 0.8)
MIN_WIDTH_PX: Final = 256
HALF: Final = 0.5
"""Share of a square's area from which its green is strong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayFiles:
    """Where the pictures of a frame were written, relative to the overlay folder."""

    overlay: str
    stain: str | None


def draw_overlay(
    view: NDArray[np.float32],
    scores: TileScores,
    caption: Caption,
    *,
    threshold: float,
    grid: bool,
    max_px: int,
    squares: SquareScores | None = None,
) -> NDArray[np.uint8]:
    """Draw a frame with its stain, legend and caption.

    The phase frame is grey. A tile's green grows with its probability: faint below the
    threshold, strong from it on. Where there are narrower squares, these are drawn in place of
    tiles. Tiles that do not count are hatched and keep their colour.

    Parameters
    ----------
    view
        (H, W) float32, the normalised frame that was scored.
    scores
        Of the same frame.
    threshold
        Probability from which a tile is positive.
    grid
        Whether to draw the borders of the tiles.
    max_px
        Longest side of the frame in the picture. Larger frames are shrunk to it; frames under
        384 px are enlarged by a whole factor as far as it allows, so that a person sees them.
    squares
        The finer stain of the same frame.

    Returns
    -------
    (H', W', 3) uint8. The frame lies at the top left; W' is at least 256 px (or `max_px`), and
    the bar with caption and legend makes H' larger than the frame.
    """
    if view.shape != (scores.grid.height, scores.grid.width):
        raise ValueError(f"scores of {scores.grid} do not belong to a frame of {view.shape}")
    height, width = picture_size(view.shape[0], view.shape[1], max_px)
    hatched = not scores.valid.all()
    if squares is None:
        cells, value, strong_from, words = scores.grid, scores.probability, threshold, "counts from"
    else:
        cells, value, strong_from = squares.grid, squares.share, HALF
        words = "strong from"
    shows = describe_stain(caption.marker, squares)
    bar = draw_bar(
        caption,
        width_px=max(width, min(MIN_WIDTH_PX, max_px)),
        legend=Legend(shows=shows, mark=strong_from, mark_words=words),
        colour=_stain_grey,
        hatched=hatched,
    )
    whole = np.empty((height + bar.shape[0], bar.shape[1], 3), dtype=np.uint8)
    whole[:height, width:] = PAPER
    whole[height:] = bar
    picture = whole[:height, :width]
    _stain(picture, draw_grey(view, height, width), cells, stain_alpha(value, strong_from))
    if hatched:
        _hatch(picture, scores)
    if grid:
        _draw_grid(picture, scores.grid)
    if caption.simulated:
        badge = draw_badge("SIMULATED", width)[:height, : whole.shape[1]]
        whole[: badge.shape[0], : badge.shape[1]] = badge
    return whole


def describe_stain(marker: str, squares: SquareScores | None = None) -> str:
    """Return what a stain of tiles or of squares shows, from 0 to 1, for a person."""
    if squares is None:
        return f"probability of {marker}"
    return f"share of area with {marker}, squares of {squares.grid.tile_px} px"


def stain_plane(scores: TileScores, squares: SquareScores | None = None) -> NDArray[np.uint8]:
    """Lay the stain back into the frame, without the frame, for analysis.

    Returns
    -------
    (H, W) uint8, each tile (or square, where there are squares) flat. One that counts reads
    1 + round(254 * value), so that value = (pixel - 1) / 254. Tiles that do not count read 0, with
    their squares.
    """
    cells, levels = stain_levels(scores, squares)
    return cells.spread(levels)


def stain_levels(
    scores: TileScores, squares: SquareScores | None = None
) -> tuple[TileGrid, NDArray[np.uint8]]:
    """Return the tiles or squares of `stain_plane`, and the value of each: (rows, cols) uint8."""
    if squares is None:
        cells, value, counted = scores.grid, scores.probability, scores.valid
    else:
        counted = squares.of_tiles(scores.valid, scores.grid)
        cells, value = squares.grid, squares.share
    return cells, np.where(counted, 1 + np.rint(254 * value), 0).astype(np.uint8)


def stain_alpha(probability: NDArray[np.float32], threshold: float) -> NDArray[np.float32]:
    """Return how strongly the green covers the grey, 0 to 1: it jumps at the threshold."""
    below = FAINT_ALPHA * probability / threshold
    weakest, strongest = POSITIVE_ALPHA
    above = weakest + (strongest - weakest) * (probability - threshold) / (1 - threshold)
    return np.where(probability >= threshold, above, below).astype(np.float32)


def _stain(
    picture: NDArray[np.uint8],
    grey: NDArray[np.uint8],
    cells: TileGrid,
    alpha: NDArray[np.float32],
) -> None:
    """Blend the green into the grey, in integers of 1/256."""
    rows, cols = _tile_of_pixel(picture, cells)
    covers = np.rint(256 * alpha).astype(np.uint16)[:, cols]
    # In strips that stay in the cache, however few rows of pixels a cell has.
    for top in range(0, picture.shape[0], 32):
        band = slice(top, top + 32)
        cover = covers[rows[band]]
        kept = grey[band] * (256 - cover)
        for channel, level in enumerate(GREEN):
            picture[band, :, channel] = (kept + cover * np.uint16(level)) >> 8


def _hatch(picture: NDArray[np.uint8], scores: TileScores) -> None:
    """Darken the tiles that do not count, in diagonal stripes."""
    period_px = max(6, min(picture.shape[:2]) // 64)
    _, cols = _tile_of_pixel(picture, scores.grid)
    dark, light = (round(256 * kept) for kept in HATCH_KEEPS)
    for row, band in _bands(picture, scores.grid):
        across = np.flatnonzero(~scores.valid[row, cols])
        if not across.size:
            continue
        down = np.arange(band.start, band.stop)
        striped = np.add.outer(down, across) % period_px < max(2, period_px // 3)
        kept = np.where(striped, dark, light).astype(np.uint16)[:, :, None]
        picture[band, across] = (picture[band, across] * kept) >> 8


def _draw_grid(picture: NDArray[np.uint8], grid: TileGrid) -> None:
    """Lighten the first row and column of pixels of every tile but those at the frame's edge."""
    for lines, tile_of in zip(
        (picture, picture.swapaxes(0, 1)), _tile_of_pixel(picture, grid), strict=True
    ):
        at = np.flatnonzero(np.diff(tile_of)) + 1
        lines[at] = np.rint(lines[at] * (1 - GRID_ALPHA) + 255 * GRID_ALPHA).astype(np.uint8)


def _bands(picture: NDArray[np.uint8], grid: TileGrid) -> Iterator[tuple[int, slice]]:
    """Yield the tile rows with the picture's rows they cover; shrunk ones may cover none."""
    rows, _ = _tile_of_pixel(picture, grid)
    edges = np.searchsorted(rows, np.arange(grid.rows + 1))
    for row in range(grid.rows):
        if edges[row] < edges[row + 1]:
            yield row, slice(int(edges[row]), int(edges[row + 1]))


def _tile_of_pixel(
    picture: NDArray[np.uint8], grid: TileGrid
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the tile row of each picture row and the tile column of each picture column."""
    down, across = (
        ((np.arange(shown) + 0.5) * (length / shown) / grid.tile_px).astype(np.intp)
        for shown, length in zip(picture.shape[:2], (grid.height, grid.width), strict=True)
    )
    return down, across


def _stain_grey(probability: NDArray[np.float32], threshold: float) -> NDArray[np.uint8]:
    """Return the colours of (n,) probabilities over the grey of an average pixel: (n, 3)."""
    alpha = stain_alpha(probability, threshold)[:, None]
    return np.rint(AVERAGE_GREY * (1 - alpha) + np.array(GREEN) * alpha).astype(np.uint8)
