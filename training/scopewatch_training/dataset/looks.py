"""Short descriptions of a picture: exact and perceptual hash, clipping, fineness, skewness.

The perceptual hash is the signs of 256 cosine coefficients of a 64 x 64 thumbnail, as in common
image hashes, but without the lowest frequencies: all fields of one microscope share its lamp there.
Signs change neither with the scale of the counts (8 bits, contrast) nor with that of the frame. The
thumbnail is clipped first: a few bright pieces of debris would rule every sign, and an export in
8 bits burns them out.
"""

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft, ndimage

from scopewatch.core.imaging.frame import Pixels
from scopewatch.core.imaging.planes.filters import block_means

MARK_VERSION: Final = 2
"""To be raised when the same picture gets another perceptual hash."""
_THUMB_PX: Final = 64
_BANDS: Final = 256
_TAILS: Final = (2, 98)
"""Percentiles of the thumbnail at which it is clipped."""
_LOWEST: Final = 4
BAND: Final = 16
"""Rows and columns of cosine coefficients whose signs make a perceptual hash."""
_BITS: Final = BAND**2
_CROP_PX: Final = 510
_FINEST_PX: Final = 3
_BOXES: Final = (1, 3, 9, 27)
"""Sides of boxes in units of the finest: 3, 9, 27 and 81 px."""
_MOST_SKEW: Final = 3.0
LEAST_GRAIN: Final = 0.65
"""Pictures with a grain above it show structure.

Fluorescence with signal has at least 1.5 and phase frames at least 0.76, over E. coli, neurons,
simulated and made-up cells; fluorescence that is mostly noise has at most 0.53.
"""
_NEAR_TOP: Final = 0.99
_PILED_UP: Final = 2.0
_FEWEST_PX: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Description of a picture.

    Parameters
    ----------
    sha256
        Of type, shape and pixels.
    mark
        Perceptual hash, 64 hex digits; empty for a picture without structure.
    fineness
        Logarithm of the standard deviation of structures of 3 to 9 px over that of 27 to 81 px.
    skewness
        Of structures of 9 to 27 px: above 0 where bright things lie on a darker ground.
    grain
        Standard deviation of structures of 9 to 27 px over that of 3 to 9 px: 1/3 in noise alone.
    clipped
        Share of the pixels at the picture's maximum where these pile up; else 0.
    """

    sha256: str = ""
    mark: str = ""
    fineness: float = 0.0
    skewness: float = 0.0
    grain: float = 0.0
    clipped: float = 0.0

    @property
    def evenness(self) -> float | None:
        """Standard deviation of structures of 9 to 27 px over that of 27 to 81 px.

        High where spots are spread evenly, low where they make patches; hardly changed by noise.
        None where the picture is mostly noise.
        """
        return self.grain * exp(self.fineness) if self.grain >= LEAST_GRAIN else None


def look_at(pixels: Pixels, sha256: str = "") -> Look:
    """Describe a (H, W) picture of camera counts.

    Parameters
    ----------
    sha256
        `hash_pixels` of the picture, where it is known.
    """
    fine, middle, wide = _bands(pixels)
    return Look(
        sha256=sha256 or hash_pixels(pixels),
        mark=mark(pixels),
        fineness=log((float(fine.std()) + 1e-6) / (float(wide.std()) + 1e-6)),
        skewness=_skewness(middle),
        grain=float(middle.std()) / (float(fine.std()) + 1e-6),
        clipped=_clipped(pixels),
    )


def hash_pixels(pixels: Pixels) -> str:
    """Return the SHA-256 of type, shape and pixels, 64 hex digits."""
    digest = hashlib.sha256()
    add_pixels(digest, pixels)
    return digest.hexdigest()


def add_pixels(digest: "hashlib._Hash", pixels: Pixels) -> None:
    """Add type, shape and pixels to a hash."""
    digest.update(f"{pixels.dtype.str}{pixels.shape}".encode())
    digest.update(np.ascontiguousarray(pixels).data)


def role_score(phase: Look, fluorescence: Look) -> float | None:
    """Return how much finer and less bright-on-dark the phase frame is than its fluorescence.

    Phase contrast shows edges, fluorescence shows bright bodies. Swapping changes the sign. None
    where what is given as fluorescence is mostly noise: noise is fine, and one bright piece of
    debris in the phase frame of few cells then looks like fluorescence. A phase frame in its place
    has structure.
    """
    if fluorescence.grain < LEAST_GRAIN:
        return None
    skew = phase.skewness - fluorescence.skewness
    return phase.fineness - fluorescence.fineness - min(max(skew, -_MOST_SKEW), _MOST_SKEW)


def mark(pixels: Pixels) -> str:
    """Return the perceptual hash, 64 hex digits; empty for a picture without structure."""
    thumb = thumbnail(pixels)
    low, high = np.percentile(thumb, _TAILS)
    if low == high:
        return ""
    band = slice(_LOWEST, _LOWEST + BAND)
    signs = fft.dctn(np.clip(thumb, low, high), norm="ortho")[band, band] > 0
    return np.packbits(signs).tobytes().hex()


def mark_distance(one: str, other: str) -> float:
    """Share of bits in which two perceptual hashes differ; 0.5 for unrelated pictures."""
    if not one or not other:
        return 1.0
    return (int(one, 16) ^ int(other, 16)).bit_count() / _BITS


def _bands(pixels: Pixels) -> list[NDArray[np.float32]]:
    """Return structures of 3 to 9, 9 to 27 and 27 to 81 px in the middle, at every third pixel."""
    finest = block_means(middle(pixels, _CROP_PX), _FINEST_PX)
    means = [ndimage.uniform_filter(finest, side) for side in _BOXES]
    return [narrow - wide for narrow, wide in pairwise(means)]


def middle(plane: NDArray[Any], side_px: int) -> NDArray[Any]:
    """Return the square of this side in the middle of a (H, W) plane; a view, cut at its border."""
    top, left = (max(side - side_px, 0) // 2 for side in plane.shape)
    return plane[top : top + side_px, left : left + side_px]


def _skewness(plane: NDArray[np.float32]) -> float:
    centred = plane - plane.mean()
    spread = float(centred.std())
    return float((centred * centred * centred).mean()) / spread**3 if spread > 0 else 0.0


def thumbnail(pixels: Pixels) -> NDArray[np.float32]:
    """Return the (64, 64) float32 block means of a (H, W) picture of camera counts."""
    # Bands of rows first: a float copy of the whole picture costs more than everything else.
    edges = np.linspace(0, pixels.shape[0], min(pixels.shape[0], _BANDS) + 1).astype(int)
    tops, heights = edges[:-1], np.diff(edges)
    sums = pixels[tops].astype(np.uint32)
    for row in range(1, int(heights.max())):
        deep = heights > row
        if deep.all():
            sums += pixels[tops + row]
        else:
            sums[deep] += pixels[tops[deep] + row]
    image = Image.fromarray((sums / heights[:, None]).astype(np.float32))
    return np.asarray(image.resize((_THUMB_PX, _THUMB_PX), Image.Resampling.BOX), dtype=np.float32)


def _clipped(pixels: Pixels) -> float:
    """Share of pixels at the maximum where far fewer lie just below it.

    A picture of two values is a mask, which is not clipped; a few pixels at the top are chance.
    """
    top = int(pixels.max())
    at_top = int(np.count_nonzero(pixels == top))
    below = int(np.count_nonzero(pixels > _NEAR_TOP * top)) - at_top
    if at_top < max(_FEWEST_PX, _PILED_UP * below) or at_top == pixels.size:
        return 0.0
    between = np.count_nonzero((pixels < top) & (pixels > int(pixels.min())))
    return at_top / pixels.size if between else 0.0
