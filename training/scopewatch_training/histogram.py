"""Histograms of fluorescence signals: the core's, since the daemon pools them alike."""

from scopewatch.core.histogram import (
    BINS,
    CENTRES,
    Counts,
    count_signal,
    median_and_spread,
    otsu,
    pool,
    quantile,
    triangle,
)

__all__ = [
    "BINS",
    "CENTRES",
    "Counts",
    "count_signal",
    "median_and_spread",
    "otsu",
    "pool",
    "quantile",
    "triangle",
]
