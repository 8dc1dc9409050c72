"""Tiles from the top left; those that a border cuts are drawn and never counted."""

import numpy as np
import pytest
from numpy.typing import NDArray

from scopewatch.core.errors import ModelError
from scopewatch.core.imaging.tiling import TileGrid, TileScores


def make_grid(height: int = 70, width: int = 96, tile_px: int = 32) -> TileGrid:
    return TileGrid(height=height, width=width, tile_px=tile_px)


def test_a_grid_counts_partial_tiles() -> None:
    grid = make_grid()
    assert grid.shape == (grid.rows, grid.cols) == (3, 3)
    assert grid.padded_shape == (96, 96)


def test_only_the_tiles_that_a_border_cuts_are_not_whole() -> None:
    assert make_grid().whole().tolist() == [[True] * 3, [True] * 3, [False] * 3]
    assert make_grid(64, 64).whole().all()
    assert not make_grid(1, 1).whole().any()


@pytest.mark.parametrize("sizes", [(0, 1, 1), (1, 0, 1), (1, 1, 0), (-4, 4, 4)])
def test_a_grid_without_area_is_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="a tile grid needs positive sizes"):
        make_grid(*sizes)


def test_padding_fills_below_and_to_the_right() -> None:
    plane = np.ones((70, 96), dtype=np.float32)
    padded = make_grid().pad(plane, value=-1)
    assert padded.shape == (96, 96)
    assert padded[:70].min() == 1
    assert padded[70:].max() == -1


def test_a_frame_of_whole_tiles_is_padded_without_a_copy() -> None:
    plane = np.ones((64, 64), dtype=np.float32)
    assert make_grid(64, 64).pad(plane) is plane


def test_a_plane_made_strip_by_strip_has_the_means_of_the_whole() -> None:
    plane = np.random.default_rng(1).normal(size=(70, 96)).astype(np.float32)
    grid = make_grid()
    heights = []

    def square(row: int, rows: slice) -> NDArray[np.float32]:
        heights.append((row, plane[rows].shape[0]))
        return np.square(plane[rows])

    np.testing.assert_array_equal(grid.means_of(square), grid.means(np.square(plane)))
    assert heights == [(0, 32), (1, 32), (2, 6)]


def test_a_partial_tiles_mean_is_over_the_pixels_it_has() -> None:
    plane = np.zeros((70, 96), dtype=np.float32)
    plane[64:, 64:] = 7
    means = make_grid().means(plane)
    assert means.dtype == np.float32
    assert means[2, 2] == 7
    assert means.sum() == 7


def test_scores_are_made_read_only() -> None:
    grid = make_grid()
    scores = TileScores(
        grid=grid, probability=np.zeros(grid.shape, dtype=np.float32), valid=grid.whole()
    )
    for array in (scores.probability, scores.valid):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


def test_scores_of_another_shape_are_refused() -> None:
    grid = make_grid()
    with pytest.raises(ModelError, match=r"tile probability does not fit the frame: 70 x 96 px"):
        TileScores(grid=grid, probability=np.zeros((2, 3), np.float32), valid=grid.whole())
    with pytest.raises(ModelError, match=r"tile valid does not fit the frame.*\(3, 3\) tiles"):
        TileScores(grid=grid, probability=np.zeros((3, 3), np.float32), valid=np.ones((3, 2), bool))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, "model gave scores that are not numbers"),
        (np.inf, "model gave scores that are not numbers"),
        (1.5, r"not probabilities: tiles \(expected 0 to 1, got 1.5 to 1.5\)"),
        (-0.1, "not probabilities: .*use a model that ends in a sigmoid"),
    ],
)
def test_scores_that_are_no_probabilities_are_refused(value: float, message: str) -> None:
    grid = make_grid()
    with pytest.raises(ModelError, match=message):
        TileScores(
            grid=grid, probability=np.full(grid.shape, value, np.float32), valid=grid.whole()
        )
