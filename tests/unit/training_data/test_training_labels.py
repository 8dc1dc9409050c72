from math import inf

import numpy as np
import pytest

from scopewatch.core.errors import ConfigError
from scopewatch.core.imaging.labels import (
    label_pair,
    label_tiles,
    positive_mask,
    positive_share,
    prevalence,
)
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch_training.dataset.settings import LabelSettings


def grid(side: int = 64) -> TileGrid:
    return TileGrid(height=side, width=side, tile_px=16)


def test_a_tile_is_positive_from_the_cutoff_on() -> None:
    signal = np.zeros((64, 64), dtype=np.float32)
    signal[:4, :16] = 10
    signal[16:19, :16] = 10
    labels = label_tiles(signal, 5.0, grid(), area_cutoff=0.25)
    assert (labels[0, 0], labels[1, 0]) == (1, 0)
    assert (labels == 1).sum() == 1


def test_tiles_near_the_cutoff_do_not_count_when_a_band_is_given() -> None:
    signal = np.zeros((64, 64), dtype=np.float32)
    signal[:4, :16] = 10
    signal[:, 48:] = 10
    labels = label_tiles(signal, 5.0, grid(), area_cutoff=0.3, ambiguous_band=0.1)
    assert labels[0, 0] == -1
    assert (labels[:, 3] == 1).all()
    assert (labels[1:, :3] == 0).all()


def test_partial_tiles_do_not_count() -> None:
    signal = np.full((70, 64), 10.0, dtype=np.float32)
    labels = label_tiles(signal, 5.0, TileGrid(height=70, width=64, tile_px=16), 0.5)
    assert (labels[4] == -1).all()
    assert (labels[:4] == 1).all()


def test_the_unknown_part_of_a_tile_is_left_out_of_its_share() -> None:
    signal = np.full((64, 64), np.nan, dtype=np.float32)
    signal[:, 2:] = 0
    signal[:7, 2:16] = 10
    share = positive_share(signal, 5.0, grid())
    assert share[0, 0] == pytest.approx(7 / 16)


def test_a_tile_that_is_mostly_unknown_does_not_count() -> None:
    signal = np.zeros((64, 64), dtype=np.float32)
    signal[:5] = np.nan
    labels = label_tiles(signal, 5.0, grid(), 0.5, max_unknown=0.25)
    assert (labels[0] == -1).all()
    assert (labels[1:] == 0).all()


def test_unknown_pixels_are_never_positive_and_an_infinite_threshold_lets_none_in() -> None:
    signal = np.array([[np.nan, 1e30]], dtype=np.float32)
    assert positive_mask(signal, 0.0).tolist() == [[False, True]]
    assert not positive_mask(signal, inf).any()


def test_prevalence_counts_only_what_counts() -> None:
    assert prevalence(np.array([1, 0, -1, 0], dtype=np.int8)) == pytest.approx(1 / 3)
    assert prevalence(np.array([-1, -1], dtype=np.int8)) is None


def test_a_pair_is_labelled_by_its_settings() -> None:
    signal = np.full((64, 96), 9.0, dtype=np.float32)
    found, labels = label_pair(signal, 5.0, LabelSettings(tile_px=32, area_cutoff=0.5))
    assert found.shape == labels.shape == (2, 3)
    assert (labels == 1).all()


def test_a_band_wider_than_the_cutoff_is_refused() -> None:
    with pytest.raises(ConfigError, match="setting is wrong: ambiguous_band"):
        LabelSettings(area_cutoff=0.1, ambiguous_band=0.1)
