"""The virtual stain as a picture and as data."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from scopewatch.core.imaging.caption import AMBER, PAPER, Caption
from scopewatch.core.imaging.overlay import (
    describe_stain,
    draw_overlay,
    stain_alpha,
    stain_plane,
)
from scopewatch.core.imaging.planes.grey import picture_size
from scopewatch.core.imaging.tiling import SquareScores, TileGrid, TileScores
from tests.unit.core.samples import KEY, SURE, make_cells, view_of

CAPTION = Caption(key=KEY, day=7.5, efficiency=SURE, simulated=False)


def make_scores(
    height: int = 512, width: int = 512, *, probability: float | None = None
) -> TileScores:
    """Return scores that rise from left to right, or that are all one probability."""
    grid = TileGrid(height=height, width=width, tile_px=32)
    ramp = np.linspace(0, 1, grid.cols, dtype=np.float32)
    values = np.tile(ramp, (grid.rows, 1))
    if probability is not None:
        values[:] = probability
    return TileScores(grid=grid, probability=values, valid=grid.whole())


def draw(
    scores: TileScores,
    *,
    caption: Caption = CAPTION,
    grid: bool = False,
    max_px: int = 2048,
    view: NDArray[np.float32] | None = None,
    squares: SquareScores | None = None,
) -> NDArray[np.uint8]:
    shape = scores.grid.height, scores.grid.width
    plane = np.zeros(shape, dtype=np.float32) if view is None else view
    return draw_overlay(
        plane, scores, caption, threshold=0.5, grid=grid, max_px=max_px, squares=squares
    )


def make_squares(scores: TileScores) -> SquareScores:
    """Return squares of 8 px of which every other column is wholly positive."""
    grid = TileGrid(height=scores.grid.height, width=scores.grid.width, tile_px=8)
    share = np.zeros(grid.shape, dtype=np.float32)
    share[:, 1::2] = 1
    return SquareScores(grid=grid, share=share)


def greenness(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    return picture[..., 1].astype(np.float64) - picture[..., 0]


def test_green_grows_with_probability_and_jumps_at_the_threshold() -> None:
    row = greenness(draw(make_scores()))[100, 16:512:32]
    assert row[0] == 0
    assert (np.diff(row) >= 0).all()
    assert row[7] < 25
    assert row[8] > 2 * row[7]
    assert row[-1] > 100


def test_a_tile_at_the_threshold_is_drawn_as_positive() -> None:
    at, below = stain_alpha(np.array([0.5, 0.4999], dtype=np.float32), 0.5)
    assert at > 2 * below


def test_the_phase_frame_stays_visible_under_the_stain() -> None:
    view = view_of(make_cells(512, 512))
    picture = draw(make_scores(probability=1.0), view=view)[:512, :512]
    for channel in range(3):
        shown = picture[..., channel].astype(np.float64)
        assert np.corrcoef(shown.ravel(), view.ravel())[0, 1] > 0.95


def test_without_stain_the_frame_is_plain_grey() -> None:
    picture = draw(make_scores(probability=0.0), view=view_of(make_cells(512, 512)))[:512, :512]
    assert (picture[..., 0] == picture[..., 1]).all()
    assert (picture[..., 0] == picture[..., 2]).all()
    assert picture.std() > 20


def test_tiles_that_do_not_count_are_hatched() -> None:
    picture = draw(make_scores(500, 512, probability=0.0))
    whole, partial = picture[448:480, :32, 0], picture[481:500, :32, 0]
    assert whole.std() == 0
    assert partial.std() > 5
    assert partial.mean() < 0.9 * whole.mean()


def test_the_grid_marks_the_borders_of_tiles_and_nothing_else() -> None:
    plain = draw(make_scores(probability=0.0)).astype(np.int16)
    lined = draw(make_scores(probability=0.0), grid=True).astype(np.int16)
    changed = (plain != lined).any(axis=-1)[:512, :512]
    assert np.flatnonzero(changed.all(axis=0)).tolist() == list(range(32, 512, 32))
    assert np.flatnonzero(changed.all(axis=1)).tolist() == list(range(32, 512, 32))
    assert not changed[1:32, 1:32].any()


def test_simulated_pictures_are_marked_in_the_frame_and_in_the_bar() -> None:
    picture = draw(make_scores(), caption=replace(CAPTION, simulated=True))
    amber = (picture == np.array(AMBER)).all(axis=-1)
    assert amber[:40, :120].sum() > 500
    assert amber[512:].any()
    assert not (draw(make_scores()) == np.array(AMBER)).all(axis=-1).any()


def test_the_legend_shows_the_colours_of_the_picture() -> None:
    picture = draw(make_scores(probability=1.0))
    frame, bar = picture[:512], picture[512:]
    assert (np.abs(bar.astype(int) - frame[40, 40].astype(int)).max(axis=-1) <= 2).any()


@pytest.mark.parametrize("max_px", [128, 300, 2048])
@pytest.mark.parametrize("shape", [(64, 64), (65, 700), (700, 65), (512, 512), (1000, 1500)])
def test_the_frame_never_exceeds_its_longest_side_and_the_bar_lies_below(
    shape: tuple[int, int], max_px: int
) -> None:
    picture = draw(make_scores(*shape), max_px=max_px)
    height, width = picture_size(*shape, max_px)
    assert max(height, width) <= max_px
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3
    assert picture.shape[1] == max(width, min(256, max_px))
    assert picture.shape[0] > height
    assert (picture[height] == np.array(PAPER)).all()


def test_small_frames_are_enlarged_by_a_whole_factor() -> None:
    assert picture_size(64, 48, 2048) == (384, 288)
    assert picture_size(64, 48, 300) == (256, 192)
    assert picture_size(500, 20, 2048) == (500, 20)


def test_shrunk_tiles_stay_where_they_belong() -> None:
    grid = TileGrid(height=1000, width=1000, tile_px=32)
    probability = np.zeros(grid.shape, dtype=np.float32)
    probability[10, 20] = 1
    scores = TileScores(grid=grid, probability=probability, valid=np.ones(grid.shape, bool))
    picture = draw(scores, max_px=250)
    rows, cols = np.nonzero(greenness(picture[:250, :250]) > 50)
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (80, 87, 160, 167)


def test_tiles_smaller_than_a_pixel_are_drawn_without_failing() -> None:
    grid = TileGrid(height=4000, width=300, tile_px=8)
    scores = TileScores(
        grid=grid, probability=np.ones(grid.shape, dtype=np.float32), valid=grid.whole()
    )
    assert draw(scores, grid=True, max_px=128).shape[1] == 128


def test_scores_of_another_frame_are_refused() -> None:
    with pytest.raises(ValueError, match="do not belong to a frame of"):
        draw(make_scores(), view=np.zeros((512, 511), dtype=np.float32))


def test_the_stain_plane_lays_probabilities_into_the_frame() -> None:
    scores = make_scores(500, 512)
    plane = stain_plane(scores)
    assert plane.shape == (500, 512)
    assert plane.dtype == np.uint8
    assert plane[0, 0] == 1
    assert plane[479, 511] == 255
    assert (plane[:32, :32] == plane[0, 0]).all()
    probability = (plane[0, 16::32].astype(np.float64) - 1) / 254
    np.testing.assert_allclose(probability, scores.probability[0], atol=1 / 500)


def test_tiles_that_do_not_count_are_zero_in_the_stain_plane() -> None:
    plane = stain_plane(make_scores(500, 512, probability=0.0))
    assert (plane[:480] == 1).all()
    assert (plane[480:] == 0).all()


def test_where_there_are_squares_they_are_drawn_in_place_of_tiles() -> None:
    scores = make_scores(probability=0.0)

    row = greenness(draw(scores, squares=make_squares(scores)))[100, 4:512:8]

    assert (row[::2] == 0).all()
    assert (row[1::2] > 100).all()


def test_the_legend_names_what_squares_show() -> None:
    scores = make_scores()
    squares = make_squares(scores)

    of_tiles, of_squares = draw(scores), draw(scores, squares=squares)

    assert describe_stain("NKX2.5-GFP") == "probability of NKX2.5-GFP"
    assert describe_stain("NKX2.5-GFP", squares) == "share of area with NKX2.5-GFP, squares of 8 px"
    assert of_squares[512:].shape != of_tiles[512:].shape or (of_squares != of_tiles)[512:].any()


def test_squares_of_tiles_that_do_not_count_are_hatched_and_zero_in_the_stain_plane() -> None:
    scores = make_scores(500, 512, probability=0.0)
    squares = make_squares(scores)

    plane = stain_plane(scores, squares)

    assert plane.shape == (500, 512)
    assert (plane[:480, :8] == 1).all()
    assert (plane[:480, 8:16] == 255).all()
    assert (plane[480:] == 0).all()
    assert draw(scores, squares=squares)[490, :500].std() > 0
