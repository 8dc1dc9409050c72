"""How a normalised frame is textured: focus, grain and scale, from sampled power spectra.

Everything comes from one averaged power spectrum of a few small crops and its transform, the
autocovariance C(lag). White camera noise adds to C(0) alone, so measures built on lags of one
pixel and more do not see it. That is the idea of Vollath's autofocus function (J. Microscopy
147:279, 1987), which compares C(1) with C(2).
"""

from functools import lru_cache
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.planes.spread import sample_step

CROP_PX: Final = 128
# Of a frame of 2048 px, 25 crops say as much as 64 do of what all 256 would: see the tests.
CROPS_PER_SIDE: Final = 5
FOCUS_LAGS_PX: Final = (1, 3, 16)
# Periods, in pixels, between which the structure's power is summed; the last band takes the rest.
BAND_EDGES_PX: Final = (2, 4, 8, 16, 32)
BLOCK_PX: Final = 16
BLOCK_ROWS: Final = 32
# Bare ground varies by less than this share of what covered ground does.
BARE_SHARE: Final = 0.3
GREY_LEVELS: Final = 64


def describe(view: NDArray[np.float32]) -> dict[str, float]:
    """Describe the texture of a normalised frame.

    Parameters
    ----------
    view
        (H, W) float32 as `core.imaging.normalise.normalise` gives it.

    Returns
    -------
    dict
        All finite, and 0 where a frame is too small or too plain to tell:

        - ``focus``: (C(1) - C(3)) / (C(1) - C(16)), the share of the variation within 16 px that
          happens within 3 px. Falls with defocus, does not change with white noise.
        - ``structure``: share of the variance that is no white noise, 0 to 1.
        - ``correlation_px``: lag at which C falls to 1/e of C(1).
        - ``band_4px`` .. ``band_32px``, ``band_coarse``: share of the structure's power with
          periods up to so many pixels (from half of it), and of all coarser ones.
        - ``skewness``: of the grey values; halos make it positive.
        - ``tails``: share of pixels beyond three spreads.
        - ``entropy``: of the grey values, in bits.
        - ``coverage``: share of the field that is not bare ground, see `_coverage`.
    """
    power, covariance = _spectrum(view)
    return {
        **_correlation(covariance),
        **_bands(power, _noise_share(covariance)),
        **_grey_values(view),
        "coverage": _coverage(view),
    }


def _spectrum(view: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the mean power spectrum (s, s // 2 + 1) of crops and C at lags 0 .. s // 2.

    The power is in arbitrary units.
    The crops lie on a regular raster over the frame, at most `CROPS_PER_SIDE` squared of them,
    so that the cost does not grow with the frame.
    """
    side = min(CROP_PX, *view.shape)
    starts = [
        np.unique(np.linspace(0, length - side, min(CROPS_PER_SIDE, -(-length // side)), dtype=int))
        for length in view.shape
    ]
    window, own = _window(side)
    squares = np.zeros((side, 2 * (side // 2 + 1)), dtype=np.float32)
    # One by one: all crops together are as large as the frame, and no cache holds them.
    for y, x in product(*starts):
        crop = view[y : y + side, x : x + side].astype(np.float32)
        crop -= crop.mean()
        crop *= window
        parts = _transform(crop).view(np.float32)
        parts *= parts
        squares += parts
    power = squares[:, ::2] + squares[:, 1::2]
    power /= len(starts[0]) * len(starts[1])
    # The taper's own covariance is divided out: what is left is the covariance of the texture.
    raw = np.fft.irfft2(power, s=(side, side))
    lags = np.arange(side // 2 + 1) % side
    covariance = (raw[lags, 0] / own[lags, 0] + raw[0, lags] / own[0, lags]) / 2
    return power, covariance.astype(np.float64)


@lru_cache(maxsize=4)
def _window(side: int) -> tuple[NDArray[np.float32], NDArray[np.floating]]:
    """Return the taper of a crop and its own covariance: two (side, side), read-only."""
    taper = np.hanning(side + 2)[1:-1].astype(np.float32)
    window = np.outer(taper, taper)
    own = np.fft.irfft2(np.abs(_transform(window)) ** 2, s=(side, side))
    window.flags.writeable = own.flags.writeable = False
    return window, own


def _transform(plane: NDArray[np.float32]) -> NDArray[np.complex64]:
    """Return the Fourier transform of an (s, s) plane, divided by its size: (s, s // 2 + 1)."""
    # With a factor of its own numpy stays in single precision, which takes half as long.
    return np.fft.rfft2(plane, norm="forward").astype(np.complex64, copy=False)


def _correlation(covariance: NDArray[np.float64]) -> dict[str, float]:
    found = {"focus": 0.0, "structure": 1 - _noise_share(covariance), "correlation_px": 0.0}
    near, middle, far = (min(lag, len(covariance) - 1) for lag in FOCUS_LAGS_PX)
    variation = covariance[near] - covariance[far]
    if covariance[near] <= 0 or variation <= 1e-6 * covariance[0]:
        return found
    found["focus"] = float(np.clip((covariance[near] - covariance[middle]) / variation, 0, 2))
    found["correlation_px"] = _fall(covariance, covariance[1] / np.e)
    return found


def _fall(covariance: NDArray[np.float64], level: float) -> float:
    """Return the lag where C first falls to `level`, between lags by a straight line."""
    below = np.flatnonzero(covariance[1:] < level)
    if not below.size:
        return float(len(covariance) - 1)
    # Never 1: the level lies below C(1) itself.
    lag = int(below[0]) + 1
    before, after = covariance[lag - 1], covariance[lag]
    return float(lag - 1 + (before - level) / (before - after))


def _noise_share(covariance: NDArray[np.float64]) -> float:
    """Share of C(0) that a parabola through C(1) and C(2) does not reach: white noise."""
    if len(covariance) < 3 or covariance[0] <= 0:
        return 1.0
    reached = (4 * covariance[1] - covariance[2]) / 3
    return float(np.clip(1 - reached / covariance[0], 0, 1))


def _bands(power: NDArray[np.float32], noise_share: float) -> dict[str, float]:
    """Sum the power within octaves of period, less the noise's even share of each."""
    band, weight, sizes = _octaves(power.shape[0])
    sums = np.bincount(band, (power * weight).ravel(), len(sizes))
    noise = noise_share * sums.sum() / max(float(sizes.sum()), 1.0)
    clean = np.maximum(sums - noise * sizes, 0)
    total = float(clean.sum())
    shares = clean / total if total > 0 else clean
    # Periods below two pixels exist on the diagonal only: they join the finest band.
    named = {"band_coarse": float(shares[0])}
    for index, period_px in enumerate(BAND_EDGES_PX[:0:-1], start=1):
        named[f"band_{period_px}px"] = float(shares[index])
    named[f"band_{BAND_EDGES_PX[1]}px"] += float(shares[-1])
    return named


@lru_cache(maxsize=4)
def _octaves(side: int) -> tuple[NDArray[np.intp], NDArray[np.floating], NDArray[np.floating]]:
    """Return the octave of each frequency of `_transform`, how often it counts, and their sums.

    (side * (side // 2 + 1),), (side, side // 2 + 1) and (octaves,), read-only.
    """
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    # All columns but the first (and the last of an even side) count for two of the full plane.
    twice = np.full(frequency.shape[1], 2.0)
    twice[0] = 1
    if side % 2 == 0:
        twice[-1] = 1
    weight = np.broadcast_to(twice, frequency.shape) * (frequency > 0)
    edges = 1 / np.array(BAND_EDGES_PX[::-1], dtype=np.float64)
    band = np.digitize(frequency, edges, right=True).ravel()
    sizes = np.bincount(band, weight.ravel(), len(edges) + 1).astype(np.float64)
    band.flags.writeable = weight.flags.writeable = sizes.flags.writeable = False
    return band, weight, sizes


def _grey_values(view: NDArray[np.float32]) -> dict[str, float]:
    step = sample_step(view.size)
    sample = view[::step, ::step].astype(np.float64).ravel()
    centred = sample - sample.mean()
    deviation = float(centred.std())
    level = np.clip((sample + 3) * (GREY_LEVELS / 6), 0, GREY_LEVELS - 1).astype(np.intp)
    share = np.bincount(level, minlength=GREY_LEVELS) / sample.size
    share = share[share > 0]
    # Multiplied, since numpy's power takes forty times as long.
    third = float(np.mean(centred * centred * centred))
    return {
        "skewness": third / deviation**3 if deviation > 1e-6 else 0.0,
        "tails": float(np.mean(np.abs(sample) > 3)),
        "entropy": float(np.sum(share * np.log2(1 / share))),
    }


def _coverage(view: NDArray[np.float32]) -> float:
    """Share of blocks of 16 px whose deviation comes near that of the liveliest tenth.

    Relative to the frame itself, so that contrast and exposure do not matter; a field that is
    bare altogether is therefore not recognised here, but by its contrast and structure.
    """
    rows, cols = (length // BLOCK_PX for length in view.shape)
    if not rows or not cols:
        return 0.0
    # Whole rows of blocks: every other block of a row would cost as much as all of them.
    deviation = np.stack(
        [
            _deviations(view[row * BLOCK_PX : (row + 1) * BLOCK_PX, : cols * BLOCK_PX])
            for row in range(0, rows, max(1, rows // BLOCK_ROWS))
        ]
    )
    lively = float(np.percentile(deviation, 90))
    return float(np.mean(deviation > BARE_SHARE * lively)) if lively > 0 else 0.0


def _deviations(strip: NDArray[np.float32]) -> NDArray[np.float32]:
    """Standard deviation of every block of a row of blocks."""
    # Down the columns first, which numpy does fastest. Grey values lie around 0.
    sums = np.add.reduce(strip, axis=0).reshape(-1, BLOCK_PX).sum(axis=1)
    squares = np.einsum("ij,ij->j", strip, strip).reshape(-1, BLOCK_PX).sum(axis=1)
    variance = squares / BLOCK_PX**2 - (sums / BLOCK_PX**2) ** 2
    return np.asarray(np.sqrt(np.maximum(variance, 0)), dtype=np.float32)
