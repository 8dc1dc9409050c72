"""Focus falls with defocus and ignores noise; the other measures tell scale and grain."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from scipy import ndimage

from scopewatch.core.imaging.planes import texture
from scopewatch.core.imaging.planes.texture import describe
from tests.unit.core.samples import make_cells, view_of

BLURS_PX = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
BANDS = ("band_4px", "band_8px", "band_16px", "band_32px", "band_coarse")


def focus_of(*, blur_px: float = 0.0, noise: float = 0.0) -> float:
    return describe(view_of(make_cells(512, 512, blur_px=blur_px, noise=noise)))["focus"]


def test_focus_falls_with_every_step_of_blur() -> None:
    values = [focus_of(blur_px=blur) for blur in BLURS_PX]
    assert values == sorted(values, reverse=True)
    assert values[0] > 3 * values[-1]


@pytest.mark.parametrize("noise", [0.01, 0.03, 0.1])
@pytest.mark.parametrize("blur_px", [0.0, 2.0, 6.0])
def test_focus_does_not_change_with_camera_noise(noise: float, blur_px: float) -> None:
    clean = focus_of(blur_px=blur_px)
    assert focus_of(blur_px=blur_px, noise=noise) == pytest.approx(clean, abs=0.02)


def test_a_blurred_noisy_frame_is_not_taken_for_a_sharp_one() -> None:
    assert focus_of(blur_px=4, noise=0.05) < focus_of(blur_px=1) / 2


def test_structure_is_the_share_that_is_no_noise() -> None:
    rng = np.random.default_rng(1)
    assert describe(view_of(make_cells(noise=0)))["structure"] > 0.95
    # Texture and noise of equal variance: half of it is structure.
    assert describe(view_of(make_cells(noise=0.08 * 1.47)))["structure"] == pytest.approx(
        0.5, abs=0.08
    )
    pure = rng.normal(1000, 30, (256, 256)).astype(np.uint16)
    assert describe(view_of(pure))["structure"] < 0.03


def test_the_bands_are_shares_of_one_whole() -> None:
    measures = describe(view_of(make_cells()))
    assert sum(measures[band] for band in BANDS) == pytest.approx(1)
    assert min(measures[band] for band in BANDS) >= 0


def test_a_grating_lies_in_the_band_of_its_period() -> None:
    for period_px, band in ((3, "band_4px"), (6, "band_8px"), (12, "band_16px"), (24, "band_32px")):
        wave = 1000 + 300 * np.sin(2 * np.pi * np.arange(256) / period_px)
        frame = np.tile(wave, (256, 1)).astype(np.uint16)
        assert describe(view_of(frame))[band] > 0.8, band


def test_noise_does_not_move_the_bands() -> None:
    clean, noisy = (describe(view_of(make_cells(512, 512, noise=n))) for n in (0.0, 0.08))
    for band in BANDS:
        assert noisy[band] == pytest.approx(clean[band], abs=0.03), band


def test_a_frame_at_twice_the_scale_has_twice_the_correlation_length() -> None:
    small = make_cells()
    large = ndimage.zoom(small.astype(np.float32), 2, order=1).astype(np.uint16)
    lengths = [describe(view_of(frame))["correlation_px"] for frame in (small, large)]
    assert lengths[1] / lengths[0] == pytest.approx(2, rel=0.15)


def test_bright_spots_make_the_grey_values_skewed_and_heavy_tailed() -> None:
    frame = make_cells()
    plain = describe(view_of(frame))
    frame[::16, ::16] = 60_000
    spotted = describe(view_of(frame))
    assert spotted["skewness"] > plain["skewness"] + 0.5
    assert spotted["tails"] > plain["tails"]


def test_entropy_is_zero_for_one_grey_and_one_bit_for_two() -> None:
    flat = np.zeros((64, 64), dtype=np.float32)
    assert describe(flat)["entropy"] == 0
    flat[::2] = 1
    assert describe(flat)["entropy"] == pytest.approx(1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (2, 2), (5, 3), (16, 16), (33, 150)])
def test_every_measure_is_finite_at_any_size(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    for pixels in (np.zeros(shape, np.uint8), rng.integers(0, 256, shape, dtype=np.uint8)):
        assert np.isfinite(list(describe(view_of(pixels)).values())).all()


def test_half_precision_views_of_the_data_set_give_the_same_measures() -> None:
    view = view_of(make_cells())
    single, half = describe(view), describe(view.astype(np.float16))
    for name, value in single.items():
        assert half[name] == pytest.approx(value, abs=0.01), name


def test_real_phase_frames_lose_focus_with_blur_and_keep_it_under_noise(real_data: Path) -> None:
    rng = np.random.default_rng(5)
    for name in ("psc-timelapse/t150.tif", "ecoli-yfp/R22/field00_phase.tif"):
        plane = tifffile.imread(real_data / name).astype(np.float32)
        sharp, *blurred = (
            describe(view_of(np.rint(ndimage.gaussian_filter(plane, blur)).astype(np.uint16)))[
                "focus"
            ]
            for blur in (0, 1, 2, 4, 8)
        )
        assert [sharp, *blurred] == sorted([sharp, *blurred], reverse=True), name
        noisy = plane + rng.normal(0, 0.03 * plane.mean(), plane.shape)
        measured = describe(view_of(np.rint(noisy).clip(0, 65535).astype(np.uint16)))["focus"]
        assert measured == pytest.approx(sharp, rel=0.1), name


def test_coverage_is_the_share_that_is_not_bare_at_any_contrast() -> None:
    frame = make_cells(512, 512, noise=0.005)
    assert describe(view_of(frame))["coverage"] > 0.97
    bare = frame.copy()
    ground = np.random.default_rng(2).normal(4000, 20, bare[:, :256].shape)
    bare[:, :256] = np.rint(ground).astype(np.uint16)
    assert describe(view_of(bare))["coverage"] == pytest.approx(0.5, abs=0.05)
    dim = np.rint(4000 + (bare.astype(float) - 4000) / 3).astype(np.uint16)
    assert describe(view_of(dim))["coverage"] == pytest.approx(0.5, abs=0.05)


def test_a_field_smaller_than_a_block_has_no_coverage() -> None:
    assert describe(np.ones((10, 40), dtype=np.float32))["coverage"] == 0


def test_single_precision_changes_no_digit_of_a_measure_that_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def in_double(plane: NDArray[np.float32]) -> NDArray[np.complex64]:
        return np.fft.rfft2(plane.astype(np.float64), norm="forward").astype(np.complex64)

    for blur_px in (0.0, 2.0, 6.0):
        view = view_of(make_cells(512, 512, blur_px=blur_px, noise=0.03))
        single = describe(view)
        with monkeypatch.context() as patch:
            patch.setattr(texture, "_transform", in_double)
            double = describe(view)
        assert single == pytest.approx(double, rel=1e-5, abs=1e-6)
