"""Laws of every frame and rate."""

from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from scopewatch.core.errors import complaint
from scopewatch.core.imaging.caption import Caption, load_font, wrap
from scopewatch.core.imaging.efficiency import Efficiency, ErrorRates, correct, pool
from scopewatch.core.imaging.overlay import draw_overlay, stain_alpha, stain_plane
from scopewatch.core.imaging.planes.grey import picture_size
from scopewatch.core.imaging.quality import fit_tiles, measure, saturated_fraction
from scopewatch.core.imaging.scale import resample, resampled_shape
from scopewatch.core.imaging.tiling import TileGrid, TileScores
from tests.unit.core.samples import KEY, RAW, SPEC, view_of

FRACTION: Final = st.floats(0, 1)
GRIDS: Final = st.builds(
    TileGrid,
    height=st.integers(1, 200),
    width=st.integers(1, 200),
    tile_px=st.integers(1, 64),
)
PIXELS: Final = hnp.arrays(
    dtype=st.sampled_from([np.uint8, np.uint16]),
    shape=hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40),
)


@st.composite
def scored(draw: st.DrawFn) -> TileScores:
    grid = draw(GRIDS)
    probability = draw(hnp.arrays(np.float32, grid.shape, elements=st.floats(0, 1, width=32)))
    valid = draw(hnp.arrays(np.bool_, grid.shape)) & grid.whole()
    return TileScores(grid=grid, probability=probability, valid=valid)


@given(grid=GRIDS)
def test_tiles_cover_each_pixel_exactly_once(grid: TileGrid) -> None:
    names = np.arange(grid.rows * grid.cols).reshape(grid.shape)
    laid = grid.spread(names)
    assert laid.shape == (grid.height, grid.width)
    sizes = np.bincount(laid.ravel(), minlength=names.size)
    assert sizes.min() >= 1
    assert sizes.sum() == grid.height * grid.width
    whole = sizes.reshape(grid.shape) == grid.tile_px**2
    np.testing.assert_array_equal(whole, grid.whole())


@given(grid=GRIDS, seed=st.integers(0, 2**32 - 1))
def test_means_of_spread_values_are_the_values(grid: TileGrid, seed: int) -> None:
    values = np.random.default_rng(seed).random(grid.shape).astype(np.float32)
    np.testing.assert_allclose(grid.means(grid.spread(values)), values, rtol=1e-6)


@given(grid=GRIDS)
def test_padding_keeps_the_frame_and_adds_nothing_else(grid: TileGrid) -> None:
    padded = grid.pad(np.ones((grid.height, grid.width)), value=0)
    assert padded.shape == grid.padded_shape
    assert padded.sum() == grid.height * grid.width


@given(pixels=PIXELS)
def test_every_frame_is_normalised_and_measured_without_a_warning(
    pixels: np.ndarray[tuple[int, int], np.dtype[np.uint16]],
) -> None:
    view = view_of(pixels)
    assert view.shape == pixels.shape
    assert np.abs(view).max() <= SPEC.clip
    measures = measure(pixels, view)
    assert np.isfinite(list(measures.values())).all()
    assert 0 <= measures["saturated"] <= 1
    assert measures["saturated"] == saturated_fraction(pixels)
    grid = TileGrid(height=view.shape[0], width=view.shape[1], tile_px=8)
    assert fit_tiles(pixels, grid).shape == grid.shape


@given(pixels=PIXELS, factor=st.floats(0.25, 3))
def test_resampling_stays_within_the_range_of_the_pixels(
    pixels: np.ndarray[tuple[int, int], np.dtype[np.uint16]], factor: float
) -> None:
    made = resample(pixels, factor)
    assert made.shape == resampled_shape((pixels.shape[0], pixels.shape[1]), factor)
    assert pixels.min() <= made.min()
    assert made.max() <= pixels.max()


@given(truth=FRACTION, fpr=st.floats(0, 0.7), reach=st.floats(0.2, 1))
def test_correcting_undoes_what_the_classifier_does(truth: float, fpr: float, reach: float) -> None:
    tpr = fpr + reach
    if tpr > 1 or tpr - fpr < 0.2:
        return
    rates = ErrorRates(tpr=tpr, fpr=fpr, half_width=0.05)
    seen = correct(fpr + (tpr - fpr) * truth, rates)
    assert seen.corrected
    assert seen.value == pytest.approx(truth, abs=1e-9)


@given(raws=st.lists(FRACTION, min_size=1, max_size=9), half_width=FRACTION)
def test_a_pooled_interval_holds_its_value_and_never_beats_the_card(
    raws: list[float], half_width: float
) -> None:
    rates = ErrorRates(tpr=0.8, fpr=0.1, half_width=half_width)
    sites = [correct(raw, rates) for raw in raws]
    well = pool(sites, rates)
    assert 0 <= well.low <= well.value <= well.high <= 1
    assert min(s.value for s in sites) - 1e-9 <= well.value <= max(s.value for s in sites) + 1e-9
    assert well.low <= max(well.value - half_width, 0) + 1e-9
    assert well.high >= min(well.value + half_width, 1) - 1e-9


@settings(deadline=None, max_examples=40)
@given(
    scores=scored(),
    threshold=st.floats(0.01, 0.99),
    max_px=st.integers(64, 600),
    grid=st.booleans(),
    simulated=st.booleans(),
)
def test_every_frame_is_drawn_within_its_size(
    scores: TileScores, threshold: float, max_px: int, grid: bool, simulated: bool
) -> None:
    view = np.zeros((scores.grid.height, scores.grid.width), dtype=np.float32)
    caption = Caption(key=KEY, day=1, efficiency=RAW, simulated=simulated)
    picture = draw_overlay(view, scores, caption, threshold=threshold, grid=grid, max_px=max_px)
    height, width = picture_size(scores.grid.height, scores.grid.width, max_px)
    assert max(height, width) <= max_px
    assert picture.shape[1] == max(width, min(256, max_px))
    assert picture.shape[0] > height


@given(scores=scored())
def test_the_stain_plane_gives_the_probabilities_back(scores: TileScores) -> None:
    plane = stain_plane(scores)
    level = plane[:: scores.grid.tile_px, :: scores.grid.tile_px].astype(np.float64)
    np.testing.assert_array_equal(level > 0, scores.valid)
    back = (level - 1) / 254
    assert np.abs(back - scores.probability)[scores.valid].max(initial=0) <= 0.5 / 254 + 1e-6


@given(low=FRACTION, high=FRACTION, threshold=st.floats(0.01, 0.99))
def test_a_higher_probability_is_never_drawn_fainter(
    low: float, high: float, threshold: float
) -> None:
    pair = np.sort(np.array([low, high], dtype=np.float32))
    faint, strong = stain_alpha(pair, threshold)
    assert 0 <= faint <= strong + 1e-6 <= 1


@given(text=st.text(max_size=80), width_px=st.integers(20, 400))
def test_any_text_wraps_into_rows_that_fit(text: str, width_px: int) -> None:
    font = load_font(12)
    for row in wrap(text, font, width_px):
        assert font.getlength(row) <= width_px
        assert row.isprintable()


@given(where=st.text(max_size=60), got=st.text(max_size=60))
def test_a_complaint_is_always_one_line(where: str, got: str) -> None:
    line = complaint("bad", where=where, got=got, do="look")
    assert len(line.splitlines()) == 1


@given(
    value=FRACTION,
    low=FRACTION,
    high=FRACTION,
)
def test_an_efficiency_is_ordered_or_refused(value: float, low: float, high: float) -> None:
    if low <= value <= high:
        made = Efficiency(value=value, low=low, high=high, corrected=True)
        assert made.low <= made.value <= made.high
    else:
        with pytest.raises(ValueError, match="not ordered"):
            Efficiency(value=value, low=low, high=high, corrected=True)
