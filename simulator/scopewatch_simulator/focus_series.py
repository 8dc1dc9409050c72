"""Renders a z-stack of a culture: cells in one plane, and debris that floats in a plane above them.

The light comes from above: it passes the floating debris first, then the cells. Between the planes,
and from the cells to the plane of focus, the field is carried by the quadratic phase that
`optics.Pupil` uses for defocus.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from scopewatch_simulator.camera import GAIN, OFFSET, READ_NOISE_E, add_debris
from scopewatch_simulator.culture import Culture
from scopewatch_simulator.optics import Pupil, detect, illuminate
from scopewatch_simulator.plan import UM_PER_PX, RunPlan, day_of


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatingDebris:
    """Dead cells in suspension: how many, and how far above the cells.

    They lie in two planes, at half and at one and a half of `height_um`.
    """

    per_mm2: float
    height_um: float


def focus_series(
    rng: np.random.Generator,
    run: RunPlan,
    culture: Culture,
    time_point: int,
    *,
    heights_um: Sequence[float],
    debris: FloatingDebris | None = None,
    light: float = 1.0,
) -> Iterator[NDArray[np.uint16]]:
    """Yield the (H, W) uint16 phase-contrast frame of each plane, one after the other.

    Parameters
    ----------
    rng
        Of debris, flicker of the lamp (3 %) and camera noise.
    heights_um
        Height of each plane above the cells, in micrometres; at 0 they are in focus.
    debris
        What floats above the cells; None: nothing.
    light
        Share of the run's light that reaches the camera.
    """
    phase = culture.phase(day_of(time_point))
    field = np.ones(phase.shape, np.complex64)
    if debris is not None:
        # The upper of the two planes first, as the light meets them.
        for above in (1.5, 0.5):
            plane = np.zeros_like(phase)
            lasting, passing = rng.spawn(2)
            add_debris(lasting, passing, plane, debris.per_mm2 / 2, day_of(time_point))
            # From the upper plane to the lower one, and from there to the cells.
            down_um = debris.height_um * min(above, 1.0)
            field = _carry(field * _phase_object(plane), run, down_um)
    spectrum = fft.fft2(field * _phase_object(phase))
    for height_um in heights_um:
        pupil = Pupil(
            ring_transmission=run.ring_transmission,
            ring_um=run.ring_um,
            na=run.na,
            wavelength_um=run.wavelength_um,
            # The light goes down: a plane above the cells lies before them.
            defocus_um=-height_um,
        )
        image = fft.ifft2(spectrum * pupil.transfer(phase.shape))
        intensity = culture.crop(image.real**2 + image.imag**2) / run.ring_transmission
        lamp = illuminate(
            intensity.shape, vignetting=run.vignetting, tilt=run.tilt, centre=(0.0, 0.0)
        )
        level = run.light_e * light * (1 + 0.03 * float(rng.standard_normal()))
        yield detect(
            rng,
            np.asarray(intensity * lamp * level, np.float32),
            gain=GAIN,
            offset=OFFSET,
            read_noise_e=READ_NOISE_E,
        )


def _phase_object(phase: NDArray[np.float32]) -> NDArray[np.complex64]:
    return np.asarray(np.exp(1j * phase), np.complex64)


def _carry(field: NDArray[np.complex64], run: RunPlan, down_um: float) -> NDArray[np.complex64]:
    """Return the (H, W) field so far further along the light."""
    fy = fft.fftfreq(field.shape[0], UM_PER_PX)[:, None]
    fx = fft.fftfreq(field.shape[1], UM_PER_PX)[None, :]
    bend = np.exp(-1j * np.pi * run.wavelength_um * down_um * (fy * fy + fx * fx))
    return np.asarray(fft.ifft2(fft.fft2(field) * bend), np.complex64)
