"""One normalisation: blind to gain, bit depth and uneven light, and calm on empty fields."""

import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from scopewatch.core.imaging.normalise import NormaliseSpec, normalise
from tests.unit.core.samples import SPEC, make_cells, robust_spread, smooth_background, view_of


def test_a_view_is_centred_clipped_and_of_unit_spread() -> None:
    view = view_of(make_cells())
    assert view.dtype == np.float32
    assert view.shape == (256, 256)
    assert abs(float(view.mean())) < 0.1
    assert robust_spread(view) == pytest.approx(1, abs=0.02)
    assert np.abs(view).max() <= SPEC.clip


def test_the_pixels_themselves_are_left_alone() -> None:
    pixels = make_cells()
    before = pixels.copy()
    pixels.setflags(write=False)
    view_of(pixels)
    np.testing.assert_array_equal(pixels, before)


def test_8_and_16_bit_versions_of_a_frame_give_equal_views() -> None:
    grey = (make_cells() // 64).clip(0, 255).astype(np.uint8)
    deep = grey.astype(np.uint16) * 257
    np.testing.assert_allclose(view_of(grey), view_of(deep), atol=1e-4)


@pytest.mark.parametrize("gain", [0.25, 3.0, 8.0])
def test_exposure_does_not_matter(gain: float) -> None:
    pixels = make_cells()
    brighter = np.rint(pixels * gain).astype(np.uint16)
    assert np.abs(view_of(pixels) - view_of(brighter)).max() < 0.02


def test_uneven_illumination_is_divided_out() -> None:
    pixels = make_cells(512, 512)
    slope = np.linspace(0.7, 1.3, 512)
    uneven = np.rint(pixels * np.outer(slope, slope[::-1])).astype(np.uint16)
    even, corrected = view_of(pixels), view_of(uneven)
    assert np.corrcoef(even.ravel(), corrected.ravel())[0, 1] > 0.98
    # Quadrant means would drift by more than a spread if the slope were left in.
    quadrants = corrected.reshape(2, 256, 2, 256).mean(axis=(1, 3))
    assert np.abs(quadrants).max() < 0.15


@pytest.mark.parametrize("value", [0, 1, 4095, 65535])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (77, 130)])
def test_a_constant_frame_is_all_zero(value: int, shape: tuple[int, int]) -> None:
    view = view_of(np.full(shape, value, dtype=np.uint16))
    assert view.shape == shape
    np.testing.assert_allclose(view, 0, atol=1e-4)


def test_a_black_border_stays_finite_and_grey_far_from_the_image() -> None:
    pixels = make_cells(512, 512)
    pixels[:, :300] = 0
    view = view_of(pixels)
    assert np.isfinite(view).all()
    np.testing.assert_array_equal(view[:, :10], 0)


def test_an_empty_field_is_not_blown_up_into_noise() -> None:
    rng = np.random.default_rng(1)
    pixels = np.rint(30_000 + 3 * rng.normal(size=(256, 256))).astype(np.uint16)
    assert np.abs(view_of(pixels)).max() < 0.1


@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (17, 40), (129, 257), (256, 31)])
def test_frames_of_any_shape_are_normalised(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(2)
    view = view_of(rng.integers(0, 65536, shape, dtype=np.uint16))
    assert view.shape == shape
    assert np.isfinite(view).all()


def test_the_fast_background_is_the_gaussian_and_differs_by_a_percent_at_the_border() -> None:
    ramp = np.add.outer(np.linspace(900, 1100, 300), np.linspace(-150, 150, 260))
    plane = (ramp + make_cells(300, 260) / 40).astype(np.float32)
    exact = ndimage.gaussian_filter(plane, 64, mode="nearest")
    off = np.abs(smooth_background(plane, 64) / exact - 1)
    assert off[64:-64, 64:-64].max() < 0.003
    assert off.max() < 0.015


def test_the_spread_of_a_gaussian_is_1_64_deviations() -> None:
    plane = np.random.default_rng(3).normal(0, 2, (600, 600)).astype(np.float32)
    assert robust_spread(plane) == pytest.approx(2 * 1.645, rel=0.02)


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_the_spread_of_a_gaussian_is_the_same_by_any_middle_share(share: float) -> None:
    plane = np.random.default_rng(3).normal(0, 2, (600, 600)).astype(np.float32)
    assert robust_spread(plane, share) == pytest.approx(robust_spread(plane), rel=0.02)


def test_cells_apart_keep_their_contrast_however_many_there_are() -> None:
    rng = np.random.default_rng(5)
    empty = rng.normal(1000, 10, (256, 256))
    few, many = empty.copy(), empty.copy()
    few[32:40, 32:40] -= 60
    many.reshape(16, 16, 16, 16)[:, 4:8, :, 4:8] -= 60

    def contrast(plane: NDArray[np.float64], share: float) -> float:
        pixels = np.asarray(plane, dtype=np.uint16)
        view = normalise(pixels, NormaliseSpec(contrast_share=share))
        return float(np.median(view[pixels < 965]))

    assert contrast(many, 0.9) / contrast(few, 0.9) < 0.7
    assert contrast(many, 0.5) / contrast(few, 0.5) > 0.8


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_an_impossible_middle_share_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="contrast_share must be"):
        NormaliseSpec(contrast_share=share)


@pytest.mark.parametrize(
    "settings", [{"background_px": 3.9}, {"contrast_floor": 0.0}, {"clip": -1.0}]
)
def test_impossible_settings_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="impossible normalisation settings"):
        NormaliseSpec(**settings)


def test_float_pixels_of_a_resampled_frame_are_taken() -> None:
    pixels = make_cells()
    np.testing.assert_array_equal(
        normalise(pixels.astype(np.float32), SPEC), normalise(pixels, SPEC)
    )


def grains(height: int, width: int) -> NDArray[np.uint16]:
    """Draw grains of several sizes under a slope of light, in integers alone."""
    rng = np.random.default_rng(7)
    plane = np.full((height, width), 9000, dtype=np.int64)
    for side_px in (1, 3, 7, 20):
        shape = -(-height // side_px), -(-width // side_px)
        layer = rng.integers(-600, 600, shape).repeat(side_px, axis=0).repeat(side_px, axis=1)
        plane += layer[:height, :width]
    plane += np.arange(width) * 3 + np.arange(height)[:, None]
    return plane.astype(np.uint16)


@pytest.mark.parametrize("background_px", [4.0, 30.0, 64.0])
@pytest.mark.parametrize("shape", [(600, 430), (64, 64), (33, 1100)])
def test_a_view_is_the_same_as_of_the_whole_frame_step_by_step(
    shape: tuple[int, int], background_px: float
) -> None:
    spec = NormaliseSpec(background_px=background_px)
    pixels = grains(*shape)
    plane = pixels.astype(np.float32)
    background = smooth_background(plane, background_px)
    relative = (plane - background) / background
    scale = np.float32(1 / max(robust_spread(relative), spec.contrast_floor))
    expected = np.clip(relative * scale, -spec.clip, spec.clip)
    np.testing.assert_array_equal(normalise(pixels, spec), expected)


def test_the_int8_codes_of_a_frame_are_those_of_earlier_versions() -> None:
    """A change here changes the scores of every bundle: it needs a version of its own."""
    pixels = grains(1000, 1100)
    pixels[:70] = 0
    codes = np.rint(view_of(pixels) * np.float32(127 / SPEC.clip)).astype(np.int8)
    assert zlib.crc32(codes.tobytes()) == 2845847865
