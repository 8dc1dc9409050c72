"""Fluorescence of the final day, read as training reads its own."""

import numpy as np
import pytest
from scipy import ndimage

from scopewatch.core.errors import FrameError, ModelError
from scopewatch.core.imaging.fluorescence import read_fluorescence, thresholds_of
from scopewatch.core.imaging.fluorescence_signal import smooth, subtract_background
from scopewatch.core.imaging.labels import label_tiles, prevalence
from scopewatch.core.imaging.tiling import TileGrid
from tests.unit.core.fluorescence_samples import glow, marker_card, marker_frame
from tests.unit.core.samples import make_card


@pytest.mark.parametrize("band", [0.0, 0.2])
@pytest.mark.parametrize("cutoff", [0.05, 0.5, 1.0])
def test_a_reading_labels_tiles_as_training_does_at_any_threshold(
    cutoff: float, band: float
) -> None:
    rng = np.random.default_rng(4)
    pixels = (400 + rng.gamma(1.0, 300.0, (200, 232))).astype(np.uint16)
    band = min(band, cutoff / 2)
    card = marker_card(area_cutoff=cutoff, ambiguous_band=band)
    grid = TileGrid(height=200, width=232, tile_px=32)
    signal = smooth(subtract_background(pixels.astype(np.float32)), 1.0)

    reading = read_fluorescence(marker_frame(pixels), card, None)

    thresholds = [*np.quantile(signal, (0.01, 0.3, 0.5, 0.52, 0.9)), -1e6, np.inf]
    for threshold in thresholds:
        expected = label_tiles(signal, float(threshold), grid, cutoff, band)
        np.testing.assert_array_equal(reading.label(float(threshold)), expected)


def test_the_glow_that_training_took_away_is_taken_away_here() -> None:
    pixels = np.full((256, 256), 400.0)
    pixels[136:152, 136:152] += 20_000
    blurred = ndimage.gaussian_filter(pixels, 6).astype(np.uint16)
    positive = [
        prevalence(read_fluorescence(marker_frame(blurred), card, None).label(300.0))
        for card in (marker_card(area_cutoff=0.05), marker_card(area_cutoff=0.05, glow_px=16))
    ]

    assert positive == [5 / 64, 1 / 64]


def test_a_frame_is_brought_to_the_size_of_its_phase_frame() -> None:
    binned = glow(0.5).reshape(128, 2, 128, 2).mean(axis=(1, 3)).astype(np.uint16)

    reading = read_fluorescence(marker_frame(binned, um=None), marker_card(), (256, 256))

    assert reading.grid == TileGrid(height=256, width=256, tile_px=32)
    assert prevalence(reading.label(1000.0)) == 0.5


def test_without_a_phase_frame_its_own_pixel_size_brings_it_to_the_cards_scale() -> None:
    binned = glow(0.5).reshape(128, 2, 128, 2).mean(axis=(1, 3)).astype(np.uint16)

    reading = read_fluorescence(marker_frame(binned, um=2.0), marker_card(), None)

    assert reading.grid.shape == (8, 8)


def test_a_frame_of_other_proportions_is_refused() -> None:
    with pytest.raises(FrameError, match="does not cover the field of its phase frame"):
        read_fluorescence(marker_frame(glow(0.5)[:100]), marker_card(), (256, 256))


def test_a_card_that_does_not_say_how_to_binarise_is_refused() -> None:
    with pytest.raises(ModelError, match="does not say how fluorescence is binarised"):
        read_fluorescence(marker_frame(glow(0.5)), make_card(), None)
    with pytest.raises(ValueError, match="no recipe"):
        thresholds_of(make_card().labels)


def test_the_recipe_comes_back_as_the_settings_it_was_made_of() -> None:
    thresholds = thresholds_of(
        marker_card(method="mad", scope="pooled", mad_k=12.0, pooled_counts=321.0).labels
    )

    assert (thresholds.settings.method, thresholds.settings.mad_k) == ("mad", 12.0)
    assert thresholds.settings.effective_scope == "pooled"
    assert thresholds.pooled == 321.0
