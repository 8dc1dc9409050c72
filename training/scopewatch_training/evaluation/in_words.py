"""Says in sentences how far a bundle's efficiencies are off, and whether the forest is level.

A guess of the mean efficiency, and the random forest, which sees single tiles only, are what a
network must be ahead of.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

import numpy as np

RANDOM_FOREST: Final = "random_forest"
_NAMES: Final = {"roc_auc": "ROC AUC", "f1": "F1"}
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


def describe_forest(figures: Mapping[str, Any]) -> str:
    """Return a sentence where the forest is level with the network or ahead of it; else ''.

    Level is what lies within the network's bootstrap interval, ahead what lies above it.

    Parameters
    ----------
    figures
        As `Assessment.to_json` gives them, with `baselines`.
    """
    forest = figures["baselines"].get(RANDOM_FOREST)
    if forest is None:
        return ""
    ahead, level = [], []
    for name, title in _NAMES.items():
        mine, other = figures["tile"][name], forest["tile"][name]
        if mine is None or other is None:
            continue
        interval = figures["intervals"].get(f"tile.{name}", {})
        low, high = (_known(interval.get(end), mine) for end in ("low", "high"))
        text = f"{title} {other:.3f} against {mine:.3f}"
        if other > high:
            ahead.append(text)
        elif other >= low:
            level.append(text)
    parts = [
        *([f"ahead of the network in {', '.join(ahead)}"] if ahead else []),
        *([f"level with the network in {', '.join(level)}"] if level else []),
    ]
    if not parts:
        return ""
    return (
        "The random forest, which sees the texture of single tiles only, is"
        f" {', and '.join(parts)}. Its wider view gains the network nothing there that these fields"
        " can show: look at the labels, and add runs or steps before you rely on it."
    )


def _known(value: float | None, other: float) -> float:
    return other if value is None or not isfinite(value) else value
