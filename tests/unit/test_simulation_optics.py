"""The simulated microscope obeys what is known of phase contrast."""

import numpy as np
import pytest

from scopewatch_simulator.optics import Pupil, detect, expose, illuminate


def pupil(*, ring_um: float = 20.0, defocus_um: float = 0.0) -> Pupil:
    return Pupil(
        ring_transmission=0.25, ring_um=ring_um, na=0.28, wavelength_um=0.55, defocus_um=defocus_um
    )


def disc(
    radius: float, phase: float, side: int = 128
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    yy, xx = np.mgrid[:side, :side] - side / 2
    return np.where(np.hypot(yy, xx) < radius, phase, 0).astype(np.float32)


def test_an_empty_field_is_even_and_of_unit_light() -> None:
    image = expose(np.zeros((64, 64), np.float32), pupil())
    assert image == pytest.approx(np.ones((64, 64)), abs=1e-4)


def test_a_small_thick_object_is_dark_within_a_bright_halo() -> None:
    image = expose(disc(6, 0.3), pupil())
    assert image[64, 64] < 0.6
    assert image[64, 64 + 12] > 1.02
    assert image[0, 0] == pytest.approx(1.0, abs=0.03)


def test_a_large_object_shades_off_towards_its_middle() -> None:
    image = expose(disc(45, 0.3, side=256), pupil(ring_um=15))
    rim, middle = image[128, 128 + 38], image[128, 128]
    assert rim < middle < 1.05


def test_contrast_grows_as_the_ring_lets_less_through() -> None:
    phase = disc(6, 0.1)
    weak, strong = (
        expose(
            phase,
            Pupil(ring_transmission=t, ring_um=20, na=0.28, wavelength_um=0.55, defocus_um=0),
        )
        for t in (0.5, 0.1)
    )
    assert 1 - strong[64, 64] > 1.5 * (1 - weak[64, 64])


def test_defocus_blurs_fine_structure() -> None:
    x = np.arange(128)
    phase = np.tile(0.05 * np.sin(2 * np.pi * x / 4), (128, 1)).astype(np.float32)
    sharp, blurred = (expose(phase, pupil(defocus_um=z)).std() for z in (0.0, 14.0))
    assert blurred < 0.4 * sharp


def test_light_falls_off_to_the_corners_and_along_the_tilt() -> None:
    light = illuminate((65, 65), vignetting=0.2, tilt=(0.0, 0.1), centre=(0.0, 0.0))
    assert light[32, 32] == pytest.approx(1.0, abs=0.01)
    assert light[0, 0] < 0.8
    assert light[32, 64] - light[32, 0] == pytest.approx(0.1, abs=0.02)


def test_camera_noise_is_that_of_counted_electrons() -> None:
    electrons = np.full((200, 200), 5_000, np.float32)
    counts = detect(np.random.default_rng(1), electrons, gain=2.0, offset=100.0, read_noise_e=6.0)
    assert counts.dtype == np.uint16
    assert counts.mean() == pytest.approx(2 * 5_000 + 100, abs=3)
    assert counts.std() == pytest.approx(2 * np.sqrt(5_000 + 36), rel=0.03)


def test_a_camera_saturates() -> None:
    counts = detect(
        np.random.default_rng(1), np.full((4, 4), 1e6, np.float32), gain=2, offset=0, read_noise_e=1
    )
    assert (counts == 65_535).all()
