"""Frames are measured, and tiles without an image are found."""

import numpy as np
import pytest

from scopewatch.core.imaging.quality import fit_tiles, measure, saturated_fraction
from scopewatch.core.imaging.tiling import TileGrid
from tests.unit.core.samples import make_cells, view_of


def test_contrast_is_the_spread_over_the_background_at_any_gain() -> None:
    pixels = make_cells(512, 512)
    contrast = measure(pixels, view_of(pixels))["contrast"]
    assert contrast == pytest.approx(0.08 * 1.47 * 1.645, rel=0.1)
    brighter = pixels * np.uint16(4)
    assert measure(brighter, view_of(brighter))["contrast"] == pytest.approx(contrast, rel=0.001)


def test_saturation_is_found_where_software_moved_the_ceiling() -> None:
    pixels = make_cells()
    clipped = np.minimum(pixels, int(np.percentile(pixels, 70)))
    assert saturated_fraction(clipped) == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("divisor", [1, 64, 400, 2000])
def test_unsaturated_frames_with_few_grey_levels_are_not_called_saturated(divisor: int) -> None:
    assert saturated_fraction(make_cells() // np.uint16(divisor)) < 0.001


def test_black_and_white_tiles_hold_no_image() -> None:
    grid = TileGrid(height=100, width=128, tile_px=32)
    pixels = make_cells(100, 128)
    assert fit_tiles(pixels, grid).all()
    pixels[:32, :64] = 0
    pixels[32:64, 96:] = 65535
    # One pixel with light is enough to be an image.
    pixels[0, 0] = 900
    fit = fit_tiles(pixels, grid)
    assert fit.shape == grid.shape
    assert np.argwhere(~fit).tolist() == [[0, 1], [1, 3]]


@pytest.mark.parametrize(("value", "fit"), [(1, True), (0, False), (65534, True), (4095, False)])
def test_a_tile_at_an_end_of_the_range_is_looked_at_by_itself(value: int, fit: bool) -> None:
    pixels = np.minimum(make_cells(64, 64), 4000)
    pixels[32:, :32] = value
    found = fit_tiles(pixels, TileGrid(height=64, width=64, tile_px=32))
    assert found.tolist() == [[True, True], [fit, True]]


def test_an_even_grey_tile_is_an_empty_place_and_counts() -> None:
    pixels = make_cells(64, 64)
    pixels[:32, :32] = 3000
    assert fit_tiles(pixels, TileGrid(height=64, width=64, tile_px=32)).all()


@pytest.mark.parametrize("ceiling", [200, 4095])
def test_a_tile_holds_no_image_where_all_its_pixels_are_black_or_at_full_scale(
    ceiling: int,
) -> None:
    rng = np.random.default_rng(ceiling)
    grid = TileGrid(height=90, width=100, tile_px=8)
    for _ in range(20):
        pixels = rng.choice(np.array([0, 3, ceiling], dtype=np.uint16), size=(90, 100))
        for value in (0, ceiling):
            top, left = rng.integers(0, 60, 2)
            pixels[top : top + 40, left : left + 30] = value
        fit = fit_tiles(pixels, grid)
        for row, col in np.ndindex(grid.shape):
            tile = pixels[8 * row : 8 * row + 8, 8 * col : 8 * col + 8]
            white = ceiling == 4095 and (tile == ceiling).all()
            assert fit[row, col] == (tile.any() and not white)


@pytest.mark.parametrize("factor", [2, 0.5])
def test_tiles_of_a_resampled_frame_are_looked_up_in_proportion(factor: float) -> None:
    side = int(128 * factor)
    pixels = make_cells(128, 128)
    pixels[:64, 64:] = 0
    fit = fit_tiles(pixels, TileGrid(height=side, width=side, tile_px=side // 4))
    assert np.argwhere(~fit).tolist() == [[0, 2], [0, 3], [1, 2], [1, 3]]
