"""Shifts a plane by a part of a pixel."""

from dataclasses import dataclass
from math import floor
from typing import Final

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

# Rows worked on at once, so that they stay in the processor's cache.
_STRIP_PX: Final = 64


def shift_plane(plane: Plane, offset_px: tuple[float, float]) -> Plane:
    """Shift a (H, W) plane onto the phase frame by linear interpolation; NaN outside it."""
    if offset_px == (0.0, 0.0):
        return plane
    shifted = np.full(plane.shape, np.nan, dtype=np.float32)
    down, across = (
        _overlap(side, offset) for side, offset in zip(plane.shape, offset_px, strict=True)
    )
    for top in range(down.start, down.stop, _STRIP_PX):
        rows = slice(top, min(top + _STRIP_PX, down.stop))
        between = _mix(plane[down.near(rows)], plane[down.far(rows)], down.share)
        cols = slice(across.start, across.stop)
        shifted[rows, cols] = _mix(
            between[:, across.near(cols)], between[:, across.far(cols)], across.share
        )
    return shifted


@dataclass(frozen=True, slots=True, kw_only=True)
class _Overlap:
    """Which pixels along one axis lie between two pixels of a shifted frame, and where.

    Parameters
    ----------
    start, stop
        The pixels.
    whole, share
        The offset in whole pixels, rounded down, and the rest of it, 0 to below 1.
    """

    start: int
    stop: int
    whole: int
    share: float

    def near(self, pixels: slice) -> slice:
        """The shifted frame's pixels before some pixels."""
        return slice(pixels.start + self.whole, pixels.stop + self.whole)

    def far(self, pixels: slice) -> slice:
        """The pixels after them; the same ones for whole offsets, since the frame may end there."""
        step = int(self.share > 0)
        return slice(pixels.start + self.whole + step, pixels.stop + self.whole + step)


def _overlap(side: int, offset: float) -> _Overlap:
    whole = floor(offset)
    share = offset - whole
    start = min(max(0, -whole), side)
    stop = max(min(side, side - whole - int(share > 0)), start)
    return _Overlap(start=start, stop=stop, whole=whole, share=share)


def _mix(near: Plane, far: Plane, share: float) -> Plane:
    """Interpolate between two planes: near for a share of 0."""
    mixed = far - near
    mixed *= np.float32(share)
    mixed += near
    return mixed
