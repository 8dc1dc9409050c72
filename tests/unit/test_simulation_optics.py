"""The simulated microscope obeys what is known of phase contrast."""

import numpy as np
import pytest

from scopewatch_simulator.field import plan_culture
from scopewatch_simulator.focus_series import FloatingDebris, focus_series
from scopewatch_simulator.optics import Pupil, detect, expose, illuminate
from scopewatch_simulator.plan import Regime, plan_run, plan_well


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


def test_floating_debris_is_in_focus_above_the_cells() -> None:
    run = plan_run(2, 0)
    culture = plan_culture(2, run, plan_well(2, Regime.BROAD, run, 0), 0, 128)
    floating = FloatingDebris(per_mm2=100, height_um=40)

    def touched(height_um: float) -> float:
        """Share of the field that the debris changes by a tenth of the light and more."""
        clear, dirty = (
            next(
                focus_series(
                    np.random.default_rng(3), run, culture, 8, heights_um=[height_um], debris=debris
                )
            ).astype(np.float64)
            for debris in (None, floating)
        )
        return float(np.mean(np.abs(dirty - clear) > 0.1 * np.median(clear)))

    # The one ball of this field lies 60 um above the cells: there it is sharp, below it spreads.
    assert 0 < 2 * touched(60.0) < touched(0.0) < touched(-60.0)
