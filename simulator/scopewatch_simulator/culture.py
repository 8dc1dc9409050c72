"""One field of view through time: position and kind of cells on each day.

It is planned once (about half a second for 512 x 512) and rendered for any time point in any order.
Three layers lie over each other: stem cells, cells that are no cardiomyocytes, and cardiomyocytes.
The day decides for each cell which layer is visible.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scopewatch_simulator.cells import Layer

MARGIN_PX = 32
_TURN_DAY = 1.0  # how long a cell takes from one appearance to the next


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Motion:
    """Collective drift of the layer: two smooth displacement fields in and out of step.

    `fields` is (2, 2, H, W) float32 pixels: two modes, down and to the right.
    """

    fields: NDArray[np.float32]
    rate: tuple[float, float]

    def displacement(self, day: float) -> NDArray[np.float32]:
        """(2, H, W) float32 pixels by which the layer is displaced from its plan on a day."""
        one, two = (np.float32(np.sin(rate * (day - 10.0))) for rate in self.rate)
        return np.asarray(one * self.fields[0] + two * self.fields[1], np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Culture:
    """A planned field of view, margin included.

    Parameters
    ----------
    arrival_day, turn_day, switch_day
        Per cell of the layers: when it is first there (stem, other), when an other cell stops
        looking like a stem cell, when a cardiomyocyte switches (infinite: never one).
    """

    size_px: int
    stem: Layer
    other: Layer
    cardio: Layer
    stem_arrival_day: NDArray[np.float32]
    other_arrival_day: NDArray[np.float32]
    turn_day: NDArray[np.float32]
    switch_day: NDArray[np.float32]
    motion: Motion

    def phase(self, day: float) -> NDArray[np.float32]:
        """(H, W) float32 radians on a day, margin included."""
        plane = self.other.phase * self.other.spread(_ramp(day - self.other_arrival_day, 0.4))
        if day < float(self.turn_day.max()) + _TURN_DAY:
            turned = self.other.spread(_ramp(day - self.turn_day, _TURN_DAY))
            stem = self.stem.phase * self.stem.spread(_ramp(day - self.stem_arrival_day, 0.4))
            plane = stem + turned * (plane - stem)
        switched = _ramp(day - self.switch_day, _TURN_DAY)
        if switched.any():
            seen = ndimage.uniform_filter(self.cardio.spread(switched), 3, mode="nearest")
            plane += seen * (self.cardio.phase - plane)
        return _carry(plane, self.motion.displacement(day))

    def cardiomyocytes(self, day: float) -> NDArray[np.float32]:
        """(H, W) float32 on a day, margin included: how far each pixel's cell has switched."""
        switched = self.cardio.spread(_ramp(day - self.switch_day, _TURN_DAY))
        return _carry(switched, self.motion.displacement(day), order=0)

    def marker(self, day: float, bright: NDArray[np.float32]) -> NDArray[np.float32]:
        """(H, W) float32 marker on a day, margin included: about 1 in a typical positive cell.

        `bright` is the (cells of `cardio`,) brightness of each.
        """
        switched = _ramp(day - self.switch_day, _TURN_DAY)
        return _carry(
            self.cardio.spread(switched * bright) * (0.5 + 0.5 * self.cardio.body),
            self.motion.displacement(day),
        )

    def crop(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cut the margin off a (H, W) plane."""
        inner = slice(MARGIN_PX, MARGIN_PX + self.size_px)
        return plane[inner, inner]


def _ramp(since: NDArray[np.float32], length_day: float) -> NDArray[np.float32]:
    """0 half a length before, 1 half a length after, smooth in between."""
    t = np.clip(since / np.float32(length_day) + np.float32(0.5), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _carry(
    plane: NDArray[np.float32], displacement: NDArray[np.float32], *, order: int = 1
) -> NDArray[np.float32]:
    """Move a (H, W) plane by a (2, H, W) displacement in pixels."""
    if not displacement.any():
        return plane
    height, width = plane.shape
    y = displacement[0] + np.arange(height, dtype=np.float32)[:, None]
    x = displacement[1] + np.arange(width, dtype=np.float32)[None, :]
    return np.asarray(
        ndimage.map_coordinates(plane, [y, x], np.float32, order, mode="nearest", prefilter=False)
    )
