"""Differentiation efficiency: the share of a frame, or a well, that is positive.

The raw positive fraction of tiles is biased whenever the classifier errs: with a true share p it
is on average FPR + (TPR - FPR) p. `correct` inverts that (Rogan and Gladen, Am. J. Epidemiol.
107:71, 1978) with error rates measured on held-out runs, and gives the interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from scopewatch.core.imaging.tiling import TileScores


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRates:
    """Error rates of the classifier on held-out runs, at the card's threshold.

    Parameters
    ----------
    tpr, fpr
        True and false positive rate of tiles, 0 to 1.
    half_width
        Half width of the interval that held the truth in `coverage` of the held-out frames, as
        a fraction (0.05 is 5 points); it carries everything that differs from run to run. None
        where one run was all that was measured: the interval is then 0 to 1.
    coverage
        Nominal coverage of the interval, 0 to 1.
    """

    tpr: float
    fpr: float
    half_width: float | None
    coverage: float = 0.9

    def __post_init__(self) -> None:
        rates = (self.tpr, self.fpr, 0.0 if self.half_width is None else self.half_width)
        inside = all(0 <= rate <= 1 for rate in rates)
        if not inside or not 0 < self.coverage < 1:
            raise ValueError(f"impossible error rates: {self}")

    @property
    def informative(self) -> bool:
        """Whether TPR - FPR is large enough to divide by."""
        return self.tpr - self.fpr >= 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Efficiency:
    """An efficiency with its interval; all as fractions, 0 to 1.

    `corrected` tells whether error rates were applied; without them, and where they come from one
    run, `low` and `high` span only what is certain (0 to 1), since nothing is known about the
    classifier's errors on another run.
    """

    value: float
    low: float
    high: float
    corrected: bool

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.value <= self.high <= 1:
            raise ValueError(f"efficiency is not ordered within 0 to 1: {self}")


def positive_fraction(scores: TileScores, threshold: float) -> float | None:
    """Share of valid tiles with probability >= threshold; None when no tile is valid."""
    counted = scores.probability[scores.valid]
    return float(np.mean(counted >= threshold)) if counted.size else None


def correct(raw: float, rates: ErrorRates | None) -> Efficiency:
    """Turn a raw positive fraction into an efficiency with its interval."""
    if rates is None or not rates.informative:
        return Efficiency(value=raw, low=0.0, high=1.0, corrected=False)
    value = _unit((raw - rates.fpr) / (rates.tpr - rates.fpr))
    return _around(value, rates.half_width, corrected=True)


def pool(sites: Sequence[Efficiency], rates: ErrorRates | None) -> Efficiency:
    """Combine the fields of view of one well at one moment: their mean.

    The interval keeps the card's half width (run-to-run error does not average out over the
    sites of one run) and adds what the sites scatter: 1.64 standard errors of their mean.
    """
    if not sites:
        raise ValueError("a well needs at least one site")
    values = np.array([site.value for site in sites])
    value = float(values.mean())
    if rates is None or not all(site.corrected for site in sites):
        return Efficiency(value=value, low=0.0, high=1.0, corrected=False)
    if rates.half_width is None:
        return _around(value, None, corrected=True)
    scatter = 1.64 * float(values.std(ddof=1)) / sqrt(len(values)) if len(values) > 1 else 0.0
    return _around(value, sqrt(rates.half_width**2 + scatter**2), corrected=True)


def _around(value: float, half_width: float | None, *, corrected: bool) -> Efficiency:
    if half_width is None:
        return Efficiency(value=value, low=0.0, high=1.0, corrected=corrected)
    return Efficiency(
        value=value,
        low=_unit(value - half_width),
        high=_unit(value + half_width),
        corrected=corrected,
    )


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)
