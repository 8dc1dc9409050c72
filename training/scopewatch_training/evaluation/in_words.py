"""Says in one sentence how far the efficiencies of a bundle are off, and what a guess would do."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

_FEWEST: Final = 3
"""Fields below which the error of a guess says nothing."""
_EVEN: Final = 0.05
"""Bias in points below which nothing is too high or too low."""


def describe_error(figures: Mapping[str, Any]) -> str:
    """Return how far the efficiencies of all fields are off, against guessing their mean.

    Parameters
    ----------
    figures
        As `Assessment.to_json` gives them.
    """
    pairs = [
        (each["corrected"], each["true"])
        for each in figures.get("fields", ())
        if each["corrected"] is not None and each["true"] is not None
    ]
    if not pairs:
        return ""
    found, true = 100 * np.array(pairs, dtype=np.float64).T
    error, bias = float(np.abs(found - true).mean()), float((found - true).mean())
    side = "too high" if bias > 0 else "too low"
    over_all = f"{abs(bias):.1f} {side}" if abs(bias) >= _EVEN else "neither too high nor too low"
    text = (
        f"In words: the efficiency of a field is {error:.1f} points off on average, and over all"
        f" {len(pairs)} fields {over_all}."
    )
    if len(pairs) < _FEWEST:
        return text
    guess = float(np.abs(true - true.mean()).mean())
    text += (
        f" Whoever guessed their mean, {true.mean():.0f} %, for each of them would be"
        f" {guess:.1f} points off."
    )
    if error < guess:
        return text
    return text + (
        " The bundle is no better than that here: look at the labels, add runs or wells of other"
        " efficiencies, or take more steps before you rely on it."
    )
