"""Histograms of fluorescence signals that can be kept, pooled and thresholded.

Bins are even in asinh(counts): about half a count wide near the background and a constant
proportion (5 %) far from it, so that one set of bins serves 8-bit and 16-bit cameras, and strains
that differ in brightness a hundredfold. Data sets larger than memory are thresholded from these.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]

BINS: Final = 512
_LINEAR_BINS: Final = 2048
# Rows worked on at once, so that they stay in the processor's cache.
_STRIP_PX: Final = 64
_HIGHEST_COUNTS: Final = 70_000.0
_HIGHEST: Final = float(np.arcsinh(_HIGHEST_COUNTS))
_EDGES: Final = np.linspace(-_HIGHEST, _HIGHEST, BINS + 1)
CENTRES: Final[NDArray[np.float64]] = np.sinh((_EDGES[1:] + _EDGES[:-1]) / 2)
"""(BINS,) counts above background at the middle of every bin."""


def count_signal(signal: NDArray[np.floating]) -> Counts:
    """Count the known pixels of a (H, W) signal in counts above background: (BINS,) int64."""
    counts = np.zeros(BINS, dtype=np.int64)
    for top in range(0, len(signal), _STRIP_PX):
        strip = signal[top : top + _STRIP_PX]
        known = strip[np.isfinite(strip)]
        position = asinh(np.clip(known, -_HIGHEST_COUNTS, _HIGHEST_COUNTS, out=known))
        position += _HIGHEST
        position *= BINS / (2 * _HIGHEST)
        np.clip(position, 0, BINS - 1, out=position)
        counts += np.bincount(position.astype(np.intp), minlength=BINS)
    return counts


def asinh(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Inverse hyperbolic sine of values whose squares are finite, of their type.

    By numpy's logarithm, which works on several values at once where its arcsinh does not: half
    the time. The error is that of 1 + values**2: one unit in the last place of large values, and
    of small ones as much as of 1.
    """
    size = np.abs(values)
    root = np.square(size)
    root += 1
    np.sqrt(root, out=root)
    root += size
    np.log(root, out=root)
    return np.asarray(np.copysign(root, values, out=root))


def pool(histograms: Iterable[Counts]) -> Counts:
    """Add histograms up: (BINS,) int64, all zero when there is none."""
    total = np.zeros(BINS, dtype=np.int64)
    for histogram in histograms:
        total += histogram
    return total


def quantile(histogram: Counts, share: float) -> float:
    """Counts below which `share` of the pixels lie; 0 for an empty histogram."""
    cumulative = np.cumsum(histogram)
    if not cumulative[-1]:
        return 0.0
    wanted = share * cumulative[-1]
    index = int(np.searchsorted(cumulative, wanted))
    before = cumulative[index - 1] if index else 0
    within = (wanted - before) / max(histogram[index], 1)
    low, high = _EDGES[index], _EDGES[index + 1]
    return float(np.sinh(low + (high - low) * min(max(within, 0.0), 1.0)))


def otsu(histogram: Counts, knee: float) -> float:
    """Otsu's threshold on asinh(counts / knee), in counts (IEEE Trans. SMC 9:62, 1979).

    Parameters
    ----------
    knee
        Counts below which the scale is about linear; above it, logarithmic.
    """
    used = np.flatnonzero(histogram)
    if used.size < 2:
        return 0.0
    span = slice(used[0], used[-1] + 1)
    scaled = np.arcsinh(CENTRES[span] / knee)
    cut = float(scaled[_split(histogram[span].astype(np.float64), scaled)])
    # All thresholds within a gap are as good: its middle is farthest from both classes.
    above = scaled[(histogram[span] > 0) & (scaled > cut)]
    return float(np.sinh((cut + float(above[0])) / 2 if above.size else cut) * knee)


def _split(counts: NDArray[np.float64], places: NDArray[np.float64]) -> int:
    """Return the last bin of the lower class: the split with the most variance between the two."""
    below, total = np.cumsum(counts)[:-1], counts.sum()
    moment = np.cumsum(counts * places)
    lower = moment[:-1] / below
    upper = (moment[-1] - moment[:-1]) / (total - below)
    return int(np.argmax(below * (total - below) * np.square(lower - upper)))


def triangle(histogram: Counts) -> float:
    """Zack's triangle threshold on the linear scale, in counts (J. Histochem. Cytochem. 25:741).

    The farthest point of the histogram from the line between its peak and the end of its upper
    tail; the brightest ten-thousandth is left out, since one hot pixel would move that end.
    """
    if not histogram.any():
        return 0.0
    low, high = quantile(histogram, 0.0), quantile(histogram, 0.9999)
    edges = np.linspace(low, high, _LINEAR_BINS + 1)
    below = np.concatenate([[0], np.cumsum(histogram)])
    heights = np.diff(np.interp(edges, np.sinh(_EDGES), below))
    peak = int(np.argmax(heights))
    tail = heights[peak:] / max(float(heights[peak]), 1.0)
    farthest = int(np.argmax(1 - np.linspace(0, 1, len(tail)) - tail))
    return float(edges[peak + farthest + 1])


def median_and_spread(histogram: Counts) -> tuple[float, float]:
    """Return the median and 1.4826 x the median absolute deviation, in counts."""
    middle = quantile(histogram, 0.5)
    if not histogram.any():
        return middle, 0.0
    deviation = np.abs(CENTRES - middle)
    order = np.argsort(deviation)
    cumulative = np.cumsum(histogram[order])
    index = int(np.searchsorted(cumulative, cumulative[-1] / 2))
    return middle, 1.4826 * float(deviation[order][index])
