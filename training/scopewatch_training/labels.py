"""Tile labels: the core's, since the daemon labels the fluorescence of the final day alike."""

from scopewatch.core.labels import (
    NOT_COUNTED,
    Labels,
    label_pair,
    label_tiles,
    positive_mask,
    positive_share,
    prevalence,
)

__all__ = [
    "NOT_COUNTED",
    "Labels",
    "label_pair",
    "label_tiles",
    "positive_mask",
    "positive_share",
    "prevalence",
]
