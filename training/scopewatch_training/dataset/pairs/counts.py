"""Refuses pictures whose counts were scrambled on the way: bytes in the wrong order, lost bits.

What a lens draws is smooth: neighbours have nearly the same count. Where the two bytes of each
count are exchanged, where a program kept the lower 8 of 16 bits (`astype(uint8)`), or subtracted
more than there was in unsigned numbers, neighbours lie at both ends of the range.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.imaging.frame import Pixels
from scopewatch_training.dataset.looks import middle

_CROP_PX: Final = 256
_SMOOTHER: Final = 1.5
"""Times that the swapped picture is smoother, from which on it is the right one.

Pictures of E. coli, neurons and simulated cells have at most 1, with exchanged bytes at least 2.3.
"""
_SHORTER: Final = 1.1
"""Times that differences are longer straight than around the end of the range.

Pictures have at most 1.02, noise that an export stretched over 8 bits 1.06; 8 of 16 bits of
fluorescence have 1.1 to 1.6 where cells glow, of phase frames 1.3, unsigned subtraction at least
10.
"""
_FEWEST: Final = 0.002
"""Share of the neighbours that must be more than half of the range apart."""

_LEAST_INSIDE: Final = 0.5
"""Share of the pixels that must not lie at the very ends of the range."""


def refuse_scrambled(pixels: Pixels, where: object) -> None:
    """Refuse a picture of a camera whose counts were scrambled.

    Parameters
    ----------
    pixels
        (H, W) uint8 or uint16; no mask, whose labels may have any order.

    Raises
    ------
    FrameError
        When its bytes are in the wrong order, or its counts are wrapped around.
    """
    crop = middle(pixels, _CROP_PX)
    if crop.dtype.itemsize > 1:
        swapped = _roughness(crop.byteswap())
        if swapped > 0 and _roughness(crop) >= _SMOOTHER * swapped:
            raise FrameError(
                complaint(
                    "bytes of each count are in the wrong order",
                    where=where,
                    expected="counts that neighbours nearly share",
                    got=f"a picture that is {_roughness(crop) / swapped:.0f} times as smooth with"
                    " its bytes exchanged",
                    do="save it again from the program that wrote it, or import it with the other"
                    " byte order (little-endian)",
                )
            )
    limit = 256 if int(pixels.max()) < 256 else 65536
    share, times = _wrapped(crop, limit)
    if share >= _FEWEST and times >= _SHORTER:
        raise FrameError(
            complaint(
                f"counts are wrapped around at {limit}",
                where=where,
                expected="counts that neighbours nearly share",
                got=f"{share:.1%} of the neighbours at both ends of the range",
                do="export the camera's own counts: a program kept the lower 8 bits of 16 (scale"
                " before astype(uint8)), or went below 0 in unsigned numbers (subtract the"
                " background in floats, and cut at 0)",
            )
        )


def _roughness(pixels: NDArray[np.unsignedinteger]) -> float:
    """Return the mean difference between neighbours in a row over the standard deviation."""
    plane = pixels.astype(np.float32)
    return float(np.abs(np.diff(plane, axis=1)).mean()) / max(float(plane.std()), 1.0)


def _wrapped(pixels: Pixels, limit: int) -> tuple[float, float]:
    """Return the share of far neighbours, and how much longer all differences are for them.

    Neighbours at the very ends of the range are left out: pictures are clipped there. Where most
    are, as in a probability map, edges are as steep as ends that meet.
    """
    plane = pixels.astype(np.int32)
    inside = (pixels > pixels.min()) & (pixels < pixels.max())
    if np.count_nonzero(inside) < _LEAST_INSIDE * inside.size:
        return 0.0, 1.0
    apart = np.abs(plane[:, 1:] - plane[:, :-1])
    apart *= inside[:, 1:] & inside[:, :-1]
    far = apart[apart > limit // 2]
    if not far.size:
        return 0.0, 1.0
    straight = int(apart.sum())
    around = straight - int((2 * far - limit).sum())
    return far.size / apart.size, straight / max(around, 1)
