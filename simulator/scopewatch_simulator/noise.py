"""Random numbers and smooth random fields, all from spawn keys of one seed.

Every draw names its purpose. A frame is therefore the same whether it is made first, last or alone,
and adding a well or a run changes none of the others.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Purpose(IntEnum):
    """Purpose of a stream of random numbers. The values decide the simulated frames.

    Renumbering one changes every simulated frame: raise SIMULATOR_VERSION with it.
    """

    RUN = 0
    WELL = 1
    FIELD = 2
    STEM = 3
    OTHER = 4
    CARDIO = 5
    FATE = 6
    MOTION = 7
    DEBRIS = 8
    OPTICS = 9
    CAMERA = 10
    MARKER = 11


def stream(seed: int, purpose: Purpose, *where: int) -> np.random.Generator:
    """Return the random numbers of one purpose at one place (run, well, site, time point)."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(int(purpose), *where)))


def smooth_field(
    rng: np.random.Generator, shape: tuple[int, int], spacing_px: float
) -> NDArray[np.float32]:
    """Return a (H, W) float32 random field of mean 0 and unit variance that is smooth.

    White noise on a coarse grid, interpolated by a uniform cubic B-spline: bumps are about
    1.5 `spacing_px` wide. Two small matrix products, so that a field costs a millisecond.
    """
    down, across = (_spline_basis(side, spacing_px) for side in shape)
    knots = rng.standard_normal((down.shape[1], across.shape[1])).astype(np.float32)
    # The spline averages neighbours: mean square of its weights per axis is 151/315.
    return np.asarray(down @ knots @ across.T / np.float32(151 / 315), dtype=np.float32)


def _spline_basis(side_px: int, spacing_px: float) -> NDArray[np.float32]:
    """Return the (side_px, knots) float32 weights of a uniform cubic B-spline."""
    position = np.arange(side_px) / spacing_px
    first = np.floor(position).astype(np.intp)
    t = position - first
    weights = np.stack(
        [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1
    )
    basis = np.zeros((side_px, int(first[-1]) + 4), dtype=np.float32)
    np.put_along_axis(basis, first[:, None] + np.arange(4), weights.astype(np.float32) / 6, axis=1)
    return basis
