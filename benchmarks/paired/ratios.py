"""Ratios of paired measurements: their median and its confidence interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLED = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Median of the ratios of pairs, with its 95 % bootstrap interval."""

    median: float
    low: float
    high: float
    pairs: int

    def __str__(self) -> str:
        low, median, high = map(_short, (self.low, self.median, self.high))
        return f"{median} ({low} to {high}, {self.pairs} pairs)"


def paired_ratio(new: Sequence[float], old: Sequence[float], seed: int = 1) -> Ratio:
    """Return new / old over pairs of consecutive measurements.

    Raises
    ------
    ValueError
        When there are no pairs, or measurements without a partner.
    """
    if not new or len(new) != len(old):
        raise ValueError(f"{len(new)} and {len(old)} measurements are no pairs")
    ratios = np.asarray(new) / np.asarray(old)
    rng = np.random.default_rng(seed)
    picks = rng.integers(len(ratios), size=(RESAMPLED, len(ratios)))
    medians = np.median(ratios[picks], axis=1)
    low, high = np.quantile(medians, (0.025, 0.975))
    return Ratio(
        median=float(np.median(ratios)), low=float(low), high=float(high), pairs=len(ratios)
    )


def _short(value: float) -> str:
    """Return three decimals, or two digits of what is smaller."""
    return f"{value:.3f}" if value >= 0.1 else f"{value:.2g}"
