"""Filters of planes: the values of scipy, whatever the size of the plane and of the strips."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from scopewatch.core.imaging.planes.filters import block_means, box_mean, gaussian, padded_strips

Plane = NDArray[np.float32]
SHAPES = ((9, 7), (64, 70), (300, 900))


def _plane(shape: tuple[int, int]) -> Plane:
    return np.random.default_rng(3).normal(100, 20, shape).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("sigma_px", "truncate"), [(1.0, 3.0), (1.0, 4.0), (2.6, 4.0)])
def test_a_gaussian_is_that_of_scipy(
    shape: tuple[int, int], sigma_px: float, truncate: float
) -> None:
    plane = _plane(shape)
    expected = ndimage.gaussian_filter(plane, sigma_px, truncate=truncate)
    assert gaussian(plane, sigma_px, truncate) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("side_px", [1, 3, 9, 21])
def test_the_mean_of_boxes_is_that_of_scipy(shape: tuple[int, int], side_px: int) -> None:
    plane = _plane(shape)
    expected = ndimage.uniform_filter(plane, side_px, mode="nearest")
    assert box_mean(plane, side_px) == pytest.approx(expected, abs=1e-4)


def test_an_unknown_pixel_spreads_only_as_far_as_the_box_reaches() -> None:
    plane = _plane((60, 60))
    plane[30, 30] = np.nan
    unknown = np.isnan(box_mean(plane, 5))
    assert unknown.sum() == 25
    assert unknown[28:33, 28:33].all()


@pytest.mark.parametrize("side_px", [1, 2, 3, 7])
def test_block_means_leave_incomplete_blocks_out(side_px: int) -> None:
    plane = np.random.default_rng(4).integers(0, 65536, (23, 45)).astype(np.uint16)
    rows, cols = 23 // side_px, 45 // side_px
    whole = plane[: rows * side_px, : cols * side_px].astype(np.float64)
    expected = whole.reshape(rows, side_px, cols, side_px).mean(axis=(1, 3))
    means = block_means(plane, side_px)
    assert means.dtype == np.float32
    assert means == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("border", "first"), [("edge", 1.0), ("symmetric", 2.0)])
def test_strips_go_on_beyond_the_border_as_they_are_asked_to(border: str, first: float) -> None:
    plane = np.arange(1, 4, dtype=np.float32)[:, None] * np.ones((1, 5), dtype=np.float32)
    [(rows, strip)] = padded_strips(plane, 2, border)  # type: ignore[arg-type]
    assert (rows, strip.shape) == (slice(0, 3), (7, 9))
    assert strip[:2, 0].tolist() == [first, 1.0]
