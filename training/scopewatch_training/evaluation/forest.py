"""Compares the network with the random forest, which sees single tiles only, in one sentence."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

RANDOM_FOREST: Final = "random_forest"
_NAMES: Final = {"roc_auc": "ROC AUC", "f1": "F1"}


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
