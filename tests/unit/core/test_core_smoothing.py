"""Sums of shifted planes come to what scipy's filters do, borders and thin planes included."""

import numpy as np
import pytest
from scipy import ndimage

from scopewatch.core.smoothing import Plane, box_mean, gaussian

SHAPES = [(130, 97), (64, 64), (65, 200), (3, 50), (50, 3), (1, 1)]


def make_plane(shape: tuple[int, int]) -> Plane:
    return np.random.default_rng(7).gamma(2, 300, shape).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("sigma_px", "truncate"), [(1.0, 3.0), (1.0, 4.0), (0.3, 4.0), (4.3, 3.0)])
def test_gaussian_is_scipys(shape: tuple[int, int], sigma_px: float, truncate: float) -> None:
    plane = make_plane(shape)
    expected = ndimage.gaussian_filter(plane.astype(np.float64), sigma_px, truncate=truncate)
    smooth = gaussian(plane, sigma_px, truncate=truncate)
    assert smooth.dtype == np.float32
    np.testing.assert_allclose(smooth, expected, rtol=2e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size_px", [1, 3, 9, 21])
def test_box_mean_is_scipys(shape: tuple[int, int], size_px: int) -> None:
    plane = make_plane(shape)
    expected = ndimage.uniform_filter(plane.astype(np.float64), size_px, mode="nearest")
    mean = box_mean(plane, size_px)
    assert mean.dtype == np.float32
    np.testing.assert_allclose(mean, expected, rtol=2e-6)


def test_a_far_bright_spot_leaves_no_trace() -> None:
    plane = np.zeros((150, 40), dtype=np.float32)
    plane[20, 20] = 65_535
    assert not box_mean(plane, 21)[31:].any()
    assert not gaussian(plane, 1.0)[25:].any()
