"""Where the fluorescence lies on the phase frame: a sub-pixel translation, across modalities.

Fluorescence looks nothing like phase contrast, so no single filter of the phase frame need
resemble it. Four views of the phase frame (brightness, local contrast, wide local contrast,
gradient) together are asked how well they explain the fluorescence, by linear regression, at every
possible shift at once: the squared multiple correlation R2(dy, dx), from Fourier transforms.

A true pair has one peak, far above all other shifts. The confidence is 1 - (highest R2 elsewhere) /
(peak within the allowed shifts): unrelated pictures, whose highest R2 lies anywhere, have none.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

Plane = NDArray[np.float32]

_SIDE_PX: Final = 512
_CELL_PX: Final = 9
_WIDE_PX: Final = 21
_FLOOR: Final = 0.3
_GUARD_PX: Final = 12
_RIDGE: Final = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A measured shift.

    Parameters
    ----------
    offset_px
        (dy, dx): the fluorescence of phase pixel (y, x) lies at (y + dy, x + dx).
    confidence
        0 to 1, see the module.
    explained
        Share of the fluorescence's structure that phase explains at this shift, 0 to 1.
    """

    offset_px: tuple[float, float]
    confidence: float
    explained: float


def register(view: Plane, brightness: Plane, max_shift_px: float) -> Registration:
    """Find the shift of a fluorescence frame against its phase frame.

    Frames above 512 px are registered on block means of about that size: the peak is smooth over
    several blocks, so that its vertex is known to a tenth of a block.

    Parameters
    ----------
    view
        (H, W) normalised phase frame.
    brightness
        (H, W) fluorescence, best on a compressed scale so that few bright cells do not rule.
    max_shift_px
        Largest shift each way.
    """
    factor = max(1, -(-max(view.shape) // _SIDE_PX))
    found = _register(_shrink(view, factor), _shrink(brightness, factor), max_shift_px / factor)
    return Registration(
        offset_px=(found.offset_px[0] * factor, found.offset_px[1] * factor),
        confidence=found.confidence,
        explained=found.explained,
    )


def shift_plane(plane: Plane, offset_px: tuple[float, float]) -> Plane:
    """Lay a (H, W) plane onto the phase frame by linear interpolation; NaN where it has nothing."""
    if offset_px == (0.0, 0.0):
        return plane
    back = (-offset_px[0], -offset_px[1])
    return np.asarray(
        ndimage.shift(plane, back, order=1, mode="constant", cval=np.nan), dtype=np.float32
    )


def _register(view: Plane, brightness: Plane, max_shift_px: float) -> Registration:
    surface = _explained(view, brightness)
    centre = (surface.shape[0] // 2, surface.shape[1] // 2)
    # A shift of more than a quarter of the frame leaves too little overlap to judge by.
    reach = min(max(2, round(max_shift_px)), min(surface.shape) // 4)
    inner = _window(centre, reach)
    peak = np.unravel_index(int(np.argmax(surface[inner])), surface[inner].shape)
    row, col = (int(at) + start - reach for at, start in zip(peak, centre, strict=True))
    highest = float(surface[row, col])
    elsewhere = surface.copy()
    elsewhere[_window(centre, reach + min(_GUARD_PX, reach))] = 0
    confidence = 1 - float(elsewhere.max()) / highest if highest > 0 else 0.0
    dy = row - centre[0] + _vertex(surface[row - 1 : row + 2, col])
    dx = col - centre[1] + _vertex(surface[row, col - 1 : col + 2])
    return Registration(
        offset_px=(float(dy), float(dx)),
        confidence=min(max(confidence, 0.0), 1.0),
        explained=min(max(highest, 0.0), 1.0),
    )


def _explained(view: Plane, brightness: Plane) -> Plane:
    """R2 of every circular shift, (H, W) float32, no shift in the middle."""
    fine = ndimage.gaussian_filter(view, 1.0)
    contrast = np.abs(fine - _box(fine, _CELL_PX))
    gradient = np.abs(ndimage.sobel(fine, 0)) + np.abs(ndimage.sobel(fine, 1))
    taper = _taper(view.shape)
    parts = (fine, contrast, _box(contrast, _CELL_PX), gradient)
    spectra = [_spectrum(_flatten(part), taper) for part in parts]
    target = _spectrum(_flatten(ndimage.gaussian_filter(brightness, 1.0)), taper)
    size = view.size
    crossed = [fft.irfft2(np.conj(part) * target, s=view.shape) * size for part in spectra]
    gram = np.array([[_inner(one, two, view.shape[1]) for two in spectra] for one in spectra])
    factor = np.linalg.cholesky(np.linalg.inv(gram + _RIDGE * np.eye(len(spectra))))
    total = np.zeros(view.shape, dtype=np.float32)
    for column in factor.T.astype(np.float32):
        mixed = sum(weight * plane for weight, plane in zip(column, crossed, strict=True))
        total += np.square(mixed)
    return np.asarray(fft.fftshift(total), dtype=np.float32)


def _flatten(plane: Plane) -> Plane:
    """Take out what is wider than a cell and bring the rest to one local amplitude.

    Otherwise the border of a bright colony, which phase contrast does not show, rules the sum.
    """
    detail = plane - _box(_box(plane, _WIDE_PX), _WIDE_PX)
    power = _box(np.square(detail), _WIDE_PX)
    floor = _FLOOR * float(np.sqrt(power.mean()))
    return np.asarray(detail / (np.sqrt(np.maximum(power, 0)) + floor + 1e-12), dtype=np.float32)


def _box(plane: Plane, size_px: int) -> Plane:
    return np.asarray(ndimage.uniform_filter(plane, size_px, mode="nearest"), dtype=np.float32)


def _spectrum(plane: Plane, taper: Plane) -> NDArray[np.complex64]:
    """Half spectrum of a tapered plane with unit energy."""
    spectrum = fft.rfft2((plane - plane.mean()) * taper)
    energy = _inner(spectrum, spectrum, plane.shape[1])
    return np.asarray(spectrum / np.float32(np.sqrt(max(energy, 1e-20))), dtype=np.complex64)


def _inner(one: NDArray[np.complex64], two: NDArray[np.complex64], width: int) -> float:
    """Inner product over the whole spectrum, of two half spectra."""
    products = np.real(np.conj(one) * two)
    doubled = slice(1, products.shape[1] - 1 if width % 2 == 0 else None)
    return float(products.sum(dtype=np.float64) + products[:, doubled].sum(dtype=np.float64))


def _taper(shape: tuple[int, ...]) -> Plane:
    """Fall to 0 over the outer eighth of each side, so that opposite borders do not meet."""
    sides = []
    for length in shape:
        edge = max(length // 8, 1)
        rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
        side = np.ones(length)
        side[:edge], side[-edge:] = rise, rise[::-1]
        sides.append(side)
    return np.outer(*sides).astype(np.float32)


def _shrink(plane: Plane, factor: int) -> Plane:
    """Block means; what does not fill a block at the lower right is left out."""
    if factor == 1:
        return plane
    rows, cols = (side // factor for side in plane.shape)
    cut = plane[: rows * factor, : cols * factor]
    return np.asarray(cut.reshape(rows, factor, cols, factor).mean(axis=(1, 3)), dtype=np.float32)


def _window(centre: tuple[int, int], reach: int) -> tuple[slice, slice]:
    return (
        slice(max(centre[0] - reach, 0), centre[0] + reach + 1),
        slice(max(centre[1] - reach, 0), centre[1] + reach + 1),
    )


def _vertex(three: Plane) -> float:
    """Where a parabola through three equidistant values peaks, -0.5 to 0.5."""
    before, at, after = (float(value) for value in three)
    bend = before - 2 * at + after
    return min(max(0.5 * (before - after) / bend, -0.5), 0.5) if bend < 0 else 0.0
