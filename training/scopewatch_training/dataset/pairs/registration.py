"""Registers fluorescence to phase contrast: a sub-pixel translation between two modalities.

No single filter of the phase frame need resemble the fluorescence. A linear regression measures how
well four views of the phase frame together (brightness, local contrast, wide local contrast,
gradient) explain it, at every possible shift at once: the squared multiple correlation R2(dy, dx),
computed by Fourier transforms.

A true pair has one peak, far above all other shifts. The confidence is 1 - (highest R2 elsewhere) /
(peak within the allowed shifts): unrelated pictures, whose highest R2 lies anywhere, have none.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from scopewatch.core.imaging.planes.filters import block_means, box_mean, gaussian, padded_strips
from scopewatch_training.dataset.pairs.local_offsets import (
    LocalOffset,
    find_moved,
    measure_local_offsets,
)

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
    moved
        The part of the frame that disagrees most with this shift; None where none does.
    """

    offset_px: tuple[float, float]
    confidence: float
    explained: float
    moved: LocalOffset | None = None


def register(view: Plane, brightness: Plane, max_shift_px: float) -> Registration:
    """Find the shift of a fluorescence frame against its phase frame.

    Frames above 512 px are registered on block means of about that size: the peak is smooth over
    several blocks, so that its vertex is known to a tenth of a block.

    Parameters
    ----------
    view
        (H, W) normalised phase frame.
    brightness
        (H, W) fluorescence, best on a compressed scale so that few bright cells do not dominate.
    max_shift_px
        Largest shift each way.
    """
    factor = max(1, -(-max(view.shape) // _SIDE_PX))
    small = block_means(view, factor), block_means(brightness, factor)
    found = _register(*small, max_shift_px / factor)
    moved = found.moved
    return replace(
        found,
        offset_px=(found.offset_px[0] * factor, found.offset_px[1] * factor),
        moved=None if moved is None else moved.scaled(factor),
    )


def _register(view: Plane, brightness: Plane, max_shift_px: float) -> Registration:
    parts, target = _structure(view, brightness)
    gram = np.array([[np.vdot(one, two) for two in parts] for one in parts], dtype=np.float64)
    inverse = np.asarray(np.linalg.inv(gram + _RIDGE * np.eye(len(parts))), dtype=np.float64)
    surface = _explained(parts, target, inverse)
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
    whole = (row - centre[0], col - centre[1])
    moved = None
    if highest > 0:
        shifted = np.roll(target, (-whole[0], -whole[1]), (0, 1))
        explaining = inverse @ np.array([np.vdot(part, shifted) for part in parts])
        predicted = _weighted(explaining.astype(np.float32), parts)
        rest = (dy - whole[0], dx - whole[1])
        moved = find_moved(measure_local_offsets(predicted, shifted, rest))
    return Registration(
        offset_px=(float(dy), float(dx)),
        confidence=min(max(confidence, 0.0), 1.0),
        explained=min(max(highest, 0.0), 1.0),
        moved=moved,
    )


def _structure(view: Plane, brightness: Plane) -> tuple[list[Plane], Plane]:
    """Return four views of phase, and the fluorescence, flattened and of unit energy."""
    fine = gaussian(view, 1.0)
    contrast = np.abs(fine - box_mean(fine, _CELL_PX))
    taper = _taper(view.shape)
    parts = [
        _unit(_flatten(part), taper)
        for part in (fine, contrast, box_mean(contrast, _CELL_PX), _gradient(fine))
    ]
    return parts, _unit(_flatten(gaussian(brightness, 1.0)), taper)


def _explained(parts: list[Plane], target: Plane, inverse: NDArray[np.float64]) -> Plane:
    """R2 of every circular shift, (H, W) float32, no shift in the middle."""
    spectrum = fft.rfft2(target)
    # The spectra are mixed, which have half the values; the transform is linear.
    crossed = [np.conj(fft.rfft2(part)) for part in parts]
    total = np.zeros(target.shape, dtype=np.float32)
    for column in np.linalg.cholesky(inverse).T.astype(np.float32):
        total += np.square(fft.irfft2(_weighted(column, crossed) * spectrum, s=target.shape))
    return np.asarray(fft.fftshift(total), dtype=np.float32)


def _weighted(weights: NDArray[np.float32], planes: list[Plane]) -> Plane:
    return np.asarray(
        sum(weight * plane for weight, plane in zip(weights, planes, strict=True) if weight)
    )


def _gradient(plane: Plane) -> Plane:
    """Sum of the magnitudes of both Sobel filters, the border mirrored."""
    total = np.empty(plane.shape, dtype=np.float32)
    for rows, strip in padded_strips(plane, 1, "symmetric"):
        down = strip[2:] - strip[:-2]
        steep = np.abs(_one_two_one(down.T).T, out=total[rows])
        across = _one_two_one(strip)
        steep += np.abs(across[:, 2:] - across[:, :-2])
    return total


def _one_two_one(lines: Plane) -> Plane:
    """Weigh each row twice as much as its neighbours; the outer rows are left out."""
    total = lines[1:-1] * np.float32(2)
    total += lines[:-2]
    total += lines[2:]
    return total


def _flatten(plane: Plane) -> Plane:
    """Remove structures wider than a cell, and equalise the local amplitude.

    Otherwise the border of a bright colony, which phase contrast does not show, dominates the sum.
    """
    detail = plane - box_mean(box_mean(plane, _WIDE_PX), _WIDE_PX)
    power = box_mean(np.square(detail), _WIDE_PX)
    least = _FLOOR * float(np.sqrt(power.mean()))
    np.sqrt(power, out=power)
    power += np.float32(least + 1e-12)
    detail /= power
    return detail


def _unit(plane: Plane, taper: Plane) -> Plane:
    """Taper a plane and bring it to unit energy."""
    tapered = (plane - plane.mean()) * taper
    tapered *= np.float32(1 / np.sqrt(max(float(np.vdot(tapered, tapered)), 1e-20)))
    return np.asarray(tapered)


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


def _window(centre: tuple[int, int], reach: int) -> tuple[slice, slice]:
    return (
        slice(max(centre[0] - reach, 0), centre[0] + reach + 1),
        slice(max(centre[1] - reach, 0), centre[1] + reach + 1),
    )


def _vertex(three: Plane) -> float:
    """Return the peak of a parabola through three equidistant values, -0.5 to 0.5."""
    before, at, after = (float(value) for value in three)
    bend = before - 2 * at + after
    return min(max(0.5 * (before - after) / bend, -0.5), 0.5) if bend < 0 else 0.0
