"""Flags for the reported planes of an array, so that their chunks are not checked again."""

import math

import numpy as np

from scopewatch.sources.omezarr.array.layout import ArrayLayout, Coordinates
from scopewatch.sources.omezarr.image import PlaneIndex


class SightedPlanes:
    """A flag for each plane; grows with chunks that come before the metadata lists them.

    Parameters
    ----------
    max_planes
        How many flags there are at most.
    """

    def __init__(self, layout: ArrayLayout, max_planes: int) -> None:
        self._layout = layout
        self._alone = _holds_one(layout)
        self._max_planes = max_planes
        self._flags = np.zeros(layout.planes_shape, dtype=bool)

    def __contains__(self, plane: PlaneIndex) -> bool:
        try:
            return bool(self._flags[plane])
        except IndexError:
            return False

    def add(self, plane: PlaneIndex) -> None:
        """Note that a plane was reported."""
        self._cover(tuple(at + 1 for at in plane))
        self._flags[plane] = True

    def remove(self, plane: PlaneIndex) -> None:
        """Mark a plane as not reported."""
        self._flags[plane] = False

    def clear(self) -> None:
        """Mark all planes as not reported."""
        self._flags[:] = False

    def take_up(self, layout: ArrayLayout) -> None:
        """Use the present metadata of the array."""
        self._layout = layout
        self._alone = _holds_one(layout)
        self._cover(layout.planes_shape)

    def has_room(self, group: Coordinates) -> bool:
        """Return whether there is room for flags of the planes in a group of files."""
        steps = (self._layout.file_chunk[dim] for dim in self._layout.plane_dims)
        first = (at * step + 1 for at, step in zip(group, steps, strict=True))
        return math.prod(map(max, first, self._flags.shape)) <= self._max_planes

    def has_all(self, file: Coordinates) -> bool:
        """Return whether all planes are flagged whose files begin with these coordinates.

        Planes beyond the shape in the metadata are expected only where a file begins with them.
        """
        if self._alone and len(file) == len(self._layout.axes):
            return tuple([file[dim] for dim in self._layout.plane_dims]) in self
        region = []
        sizes = zip(
            self._layout.plane_dims, self._layout.planes_shape, self._flags.shape, strict=True
        )
        for dim, planned, known in sizes:
            start, stop = 0, planned or known
            if dim < len(file):
                step = self._layout.file_chunk[dim]
                start = file[dim] * step
                stop = min(start + step, planned if start < planned else known)
            if start >= known:
                return False
            region.append(slice(start, stop))
        return bool(self._flags[tuple(region)].all())

    def has_group(self, group: Coordinates) -> bool:
        """Return whether all planes of a group of files are flagged."""
        rest = iter(group)
        axes = self._layout.axes
        return self.has_all(tuple(0 if axis in ("y", "x") else next(rest) for axis in axes))

    def _cover(self, shape: tuple[int, ...]) -> None:
        known = self._flags.shape
        needed = tuple(map(max, shape, known))
        if needed != known:
            grown = np.zeros(needed, dtype=bool)
            grown[tuple(map(slice, known))] = self._flags
            self._flags = grown


def _holds_one(layout: ArrayLayout) -> bool:
    """Return whether no file holds more than one plane."""
    return all(layout.file_chunk[dim] == 1 for dim in layout.plane_dims)
