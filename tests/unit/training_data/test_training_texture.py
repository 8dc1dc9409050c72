from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.feature import graycomatrix, graycoprops

from scopewatch.core.imaging.tiling import TileGrid
from scopewatch_training.evaluation.texture_features import feature_names, tile_features


def view(seed: int = 0, side: int = 64) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, (side, side)).astype(np.float32)


def column(name: str) -> int:
    return feature_names().index(name)


def test_every_feature_has_a_name_and_is_a_number() -> None:
    grid = TileGrid(height=70, width=64, tile_px=32)
    features = tile_features(view(0, 96)[:70, :64], grid)
    assert features.shape == (3, 2, len(feature_names()))
    assert np.isfinite(features).all()


def test_moments_are_those_of_the_tile() -> None:
    plane = view()
    features = tile_features(plane, TileGrid(height=64, width=64, tile_px=32))
    tile = plane[32:, :32]
    assert features[1, 0, column("mean")] == pytest.approx(tile.mean(), abs=1e-5)
    assert features[1, 0, column("std")] == pytest.approx(tile.std(), rel=1e-4)
    assert features[1, 0, column("p75")] == pytest.approx(np.percentile(tile, 75), rel=1e-4)


def test_pattern_shares_of_a_tile_sum_to_one() -> None:
    features = tile_features(view(), TileGrid(height=64, width=64, tile_px=32))
    codes = [column(f"lbp3_{code}") for code in range(10)]
    assert features[..., codes].sum(axis=-1) == pytest.approx(1.0, abs=1e-5)


def test_co_occurrence_agrees_with_scikit_image() -> None:
    plane = view(3)
    features = tile_features(plane, TileGrid(height=64, width=64, tile_px=32))
    levels = np.clip((plane[:32, 32:] + 4) / 8 * 16, 0, 15).astype(np.uint8)
    # scikit-image's functions carry no types.
    matrix_of: Callable[..., NDArray[np.float64]] = graycomatrix
    property_of: Callable[..., NDArray[np.float64]] = graycoprops
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    pairs = matrix_of(levels, [1], angles, levels=16, symmetric=True, normed=True)
    for what in ("contrast", "homogeneity", "energy", "correlation"):
        expected = property_of(pairs, what).mean()
        assert features[0, 1, column(f"glcm_{what}_1px")] == pytest.approx(expected, rel=1e-4)


def test_a_flat_tile_is_described_without_a_fault() -> None:
    features = tile_features(
        np.zeros((32, 32), dtype=np.float32), TileGrid(height=32, width=32, tile_px=32)
    )
    assert features[0, 0, column("std")] == pytest.approx(0, abs=1e-5)
    assert features[0, 0, column("glcm_correlation_1px")] == 1
