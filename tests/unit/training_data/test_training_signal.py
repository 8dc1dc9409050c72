import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from scopewatch.core.errors import FrameError
from scopewatch.core.imaging.fluorescence_signal import (
    estimate_noise,
    match_size,
    remove_glow,
    smooth,
    subtract_background,
)


def tilted(side: int = 256) -> NDArray[np.float32]:
    rows, cols = np.mgrid[:side, :side] / side - 0.5
    return np.asarray(400 + 120 * rows - 60 * cols + 80 * rows**2, dtype=np.float32)


def test_an_uneven_background_is_taken_out() -> None:
    rng = np.random.default_rng(0)
    plane = (tilted() + rng.normal(0, 5, (256, 256))).astype(np.float32)
    plane[100:120, 30:60] += 3000
    signal = subtract_background(plane)
    outside = np.ones(plane.shape, dtype=bool)
    outside[100:120, 30:60] = False
    assert np.abs(np.median(signal[outside])) < 1
    assert signal[outside].std() == pytest.approx(5, rel=0.05)
    assert signal[100:120, 30:60].mean() == pytest.approx(3000, rel=0.02)


def test_an_uneven_frame_without_signal_becomes_mere_noise() -> None:
    rng = np.random.default_rng(2)
    plane = (5 * tilted() + rng.normal(0, 5, (256, 256))).astype(np.float32)
    signal = subtract_background(plane)
    assert np.quantile(signal, 0.999) < 4 * estimate_noise(signal)


def test_a_dense_signal_is_not_taken_for_background() -> None:
    rng = np.random.default_rng(3)
    plane = (tilted() + rng.normal(0, 5, (256, 256))).astype(np.float32)
    plane[:, :190] += 3000
    plane[60:90, 20:50] -= 3000
    signal = subtract_background(plane)
    assert signal[:, :180][100:].mean() == pytest.approx(3000, rel=0.1)


def test_a_nearly_full_frame_keeps_the_brightness_of_its_cells() -> None:
    rng = np.random.default_rng(4)
    plane = (tilted() + rng.normal(0, 5, (256, 256))).astype(np.float32)
    free = np.zeros(plane.shape, dtype=bool)
    free[90:140, 40:80] = free[200:240, 150:215] = True
    # Cells of 16 px that differ in brightness and are brighter within than at their borders.
    place = (np.arange(256) % 16 - 7.5) / 8
    body = 0.85 + 0.15 * (1 - place[:, None] ** 2) * (1 - place[None, :] ** 2)
    bright = rng.normal(3000, 150, (16, 16)).repeat(16, axis=0).repeat(16, axis=1)
    plane += np.where(free, 0, bright * body).astype(np.float32)
    signal = subtract_background(plane)
    assert signal[~free].mean() == pytest.approx((bright * body)[~free].mean(), rel=0.1)
    assert abs(signal[free].mean()) < 300


def test_noise_is_measured_beside_bright_cells() -> None:
    rng = np.random.default_rng(1)
    plane = rng.normal(0, 7, (256, 256)).astype(np.float32)
    plane[::3, 100:200] += 2000
    assert estimate_noise(plane) == pytest.approx(7, rel=0.15)


def test_a_frame_without_noise_has_that_of_rounding() -> None:
    assert estimate_noise(np.zeros((64, 64), dtype=np.float32)) == pytest.approx(0.29)


def test_smoothing_by_nothing_changes_nothing() -> None:
    plane = tilted(64)
    assert smooth(plane, 0) is plane


def test_a_binned_fluorescence_frame_is_brought_to_the_size_of_the_phase_frame() -> None:
    rows, cols = np.mgrid[:64, :96].astype(np.float64)
    fine = 1000 + 10 * rows + 5 * cols
    binned = fine.reshape(32, 2, 48, 2).mean(axis=(1, 3)).astype(np.uint16)
    back = match_size(binned, (64, 96), "pair")
    assert back.shape == (64, 96)
    assert np.abs(back - fine)[4:-4, 4:-4].max() < 2


def test_a_fluorescence_frame_of_another_field_of_view_is_refused() -> None:
    with pytest.raises(FrameError, match=r"does not cover the field.*64 x 64 px, got 64 x 96 px"):
        match_size(np.zeros((64, 96), dtype=np.uint16), (64, 64), "pair")


def drawn(brightness: float, width_px: float = 4.0) -> NDArray[np.float32]:
    """Draw (64, 64): a cell of 8 px radius as a blurred image shows it."""
    y, x = np.mgrid[-32:32, -32:32]
    cell = np.asarray(brightness * (np.hypot(y, x) <= 8), dtype=np.float32)
    return np.asarray(ndimage.gaussian_filter(cell, width_px), dtype=np.float32)


def test_cells_alike_but_for_their_brightness_are_drawn_alike_once_their_glow_is_taken_away() -> (
    None
):
    dim, bright = drawn(1000), drawn(30_000)
    apart = np.count_nonzero(bright > 200) / np.count_nonzero(dim > 200)

    taken = [np.count_nonzero(remove_glow(each, 16, 0.3) > 200) for each in (dim, bright)]

    assert apart > 1.6
    assert taken[0] == taken[1]


def test_a_cell_far_from_a_bright_one_keeps_its_signal() -> None:
    two = np.hstack([drawn(1000), drawn(30_000)])

    cleared = remove_glow(two, 16, 0.3)

    assert cleared[32, 32] == two[32, 32]
    assert cleared[32, 74] == 0 < two[32, 74]


def test_taking_glow_away_never_raises_a_pixel_and_knows_no_more_than_before() -> None:
    rng = np.random.default_rng(2)
    signal = rng.normal(-5, 20, (40, 50)).astype(np.float32)
    signal[:3] = np.nan

    cleared = remove_glow(signal, 5, 0.5)

    np.testing.assert_array_equal(np.isnan(cleared), np.isnan(signal))
    assert (cleared[3:] <= np.maximum(signal[3:], 0)).all()
    assert remove_glow(signal, 0, 0.5) is signal
