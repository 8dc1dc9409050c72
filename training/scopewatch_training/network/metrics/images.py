"""Metrics of efficiencies of images.

Efficiencies are fractions, 0 to 1, except where a name says points (percentage points).
"""

from dataclasses import asdict, dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scopewatch_training.network.metrics.as_json import figures_as_json

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageMetrics:
    """Figures over images: estimated against true efficiency.

    `bias` and `mae` are in percentage points, as are the Bland-Altman limits; `r` is Pearson's,
    `ccc` Lin's concordance. nan where undefined.
    """

    r: float
    bias: float
    mae: float
    ccc: float
    limit_low: float
    limit_high: float
    images: int

    def to_json(self) -> dict[str, float | int | None]:
        """Return the figures as JSON values; undefined ones are null."""
        return figures_as_json(asdict(self))


def image_metrics(estimate: ArrayLike, truth: ArrayLike) -> ImageMetrics:
    """Judge efficiencies of images: fractions in, points out.

    Bland-Altman limits are bias +- 1.96 standard deviations of the differences.

    Raises
    ------
    ValueError
        When lengths differ or there is no image.
    """
    given, true = (np.asarray(each, dtype=np.float64) for each in (estimate, truth))
    if given.shape != true.shape or given.ndim != 1 or not given.size:
        raise ValueError(f"efficiencies do not match: {given.shape} and {true.shape}")
    difference = 100 * (given - true)
    bias = float(difference.mean())
    spread = float(difference.std(ddof=1)) if given.size > 1 else nan
    return ImageMetrics(
        r=_pearson(given, true),
        bias=bias,
        mae=float(np.abs(difference).mean()),
        ccc=concordance(given, true),
        limit_low=bias - 1.96 * spread,
        limit_high=bias + 1.96 * spread,
        images=int(given.size),
    )


def concordance(estimate: Array, truth: Array) -> float:
    """Lin's concordance correlation coefficient; nan when both are constant."""
    covariance = float(np.mean((estimate - estimate.mean()) * (truth - truth.mean())))
    scale = float(estimate.var() + truth.var() + (estimate.mean() - truth.mean()) ** 2)
    return 2 * covariance / scale if scale > 0 else nan


def _pearson(one: Array, two: Array) -> float:
    if one.size < 2 or not one.std() or not two.std():
        return nan
    return float(np.corrcoef(one, two)[0, 1])
