"""A phase-contrast microscope: from the phase of the specimen to counts of the camera.

The specimen multiplies the light by exp(i phi). In the back focal plane the phase ring covers the
unscattered light and the light scattered by small angles: it transmits a share of its intensity and
retards it by a quarter wave (Zernike 1942; for the transfer function
see Otaki 2000 and Yin, Kanade and Chen, Medical Image Analysis 16:1047, 2012). Halo and shade-off
are not drawn: they follow from the width of the ring. Defocus is a quadratic phase, the aperture
a cut-off.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from scopewatch_simulator.plan import UM_PER_PX


@dataclass(frozen=True, slots=True, kw_only=True)
class Pupil:
    """Transmission of the back focal plane.

    Parameters
    ----------
    ring_transmission
        Share of the intensity that the phase ring transmits, 0 to 1.
    ring_um
        1/e radius of the ring's blurring in the specimen plane, in micrometres: width of halos.
    na, wavelength_um, defocus_um
        Numerical aperture, wavelength, and distance from the focal plane.
    """

    ring_transmission: float
    ring_um: float
    na: float
    wavelength_um: float
    defocus_um: float

    def transfer(self, shape: tuple[int, int]) -> NDArray[np.complex64]:
        """Return the (H, W) complex64 transfer function, zero frequency first."""
        fy = fft.fftfreq(shape[0], UM_PER_PX).astype(np.float32)[:, None]
        fx = fft.fftfreq(shape[1], UM_PER_PX).astype(np.float32)[None, :]
        square = fy * fy + fx * fx
        on_ring = np.exp(-square * np.float32((np.pi * self.ring_um) ** 2))
        quarter_wave = np.float32(np.sqrt(self.ring_transmission)) * np.complex64(-1j)
        ring = 1 + (quarter_wave - 1) * on_ring
        cutoff = self.na / self.wavelength_um
        # An incoherent condenser softens the cut-off; a hard edge would ring.
        aperture = 1 / (1 + np.exp(np.clip((np.sqrt(square) / cutoff - 1) * 14, -30, 30)))
        bend = np.float32(-np.pi * self.wavelength_um * self.defocus_um) * square
        return np.asarray(ring * aperture * np.exp(1j * bend), np.complex64)


def expose(phase: NDArray[np.float32], pupil: Pupil) -> NDArray[np.float32]:
    """Return the (H, W) float32 intensity of a (H, W) phase in radians; 1 for an empty field.

    The plane is periodic: give a margin of a halo's width and crop it.
    """
    field = np.empty(phase.shape, np.complex64)
    np.cos(phase, out=field.real)
    np.sin(phase, out=field.imag)
    spectrum = fft.fft2(field, overwrite_x=True)
    spectrum *= pupil.transfer(phase.shape)
    image = fft.ifft2(spectrum, overwrite_x=True)
    intensity = image.real**2 + image.imag**2
    return np.asarray(intensity / np.float32(pupil.ring_transmission), np.float32)


def illuminate(
    shape: tuple[int, int],
    *,
    vignetting: float,
    tilt: tuple[float, float],
    centre: tuple[float, float],
) -> NDArray[np.float32]:
    """Return the (H, W) float32 light that falls on the field, about 1.

    Parameters
    ----------
    vignetting
        Loss at the corner of a centred field.
    tilt
        Change across the field, down and to the right.
    centre
        Of the vignetting, in half field sides from the middle, down and to the right.
    """
    y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :]
    fall = ((y - centre[0]) ** 2 + (x - centre[1]) ** 2) * np.float32(vignetting / 2)
    light = (1 - fall) * (1 + y * np.float32(tilt[0] / 2) + x * np.float32(tilt[1] / 2))
    return np.asarray(np.maximum(light, 0.05), np.float32)


def detect(
    rng: np.random.Generator,
    electrons: NDArray[np.float32],
    *,
    gain: float,
    offset: float,
    read_noise_e: float,
) -> NDArray[np.uint16]:
    """Turn (H, W) expected electrons into (H, W) uint16 counts.

    Shot noise is drawn as Gaussian of the same variance, which hundreds of electrons a pixel
    cannot be distinguished from, at a tenth of the cost.
    """
    noise = rng.standard_normal(electrons.shape, dtype=np.float32)
    noise *= np.sqrt(np.maximum(electrons, 0) + np.float32(read_noise_e**2))
    counts = (electrons + noise) * np.float32(gain) + np.float32(offset + 0.5)
    return np.asarray(np.clip(counts, 0, 65_535), np.uint16)
