"""The sentence about the random forest, where it is level with the network or ahead of it."""

from typing import Any

import pytest

from scopewatch_training.evaluation.in_words import describe_forest

WIDE = {"tile.roc_auc": {"low": 0.93, "high": 0.97}, "tile.f1": {"low": 0.78, "high": 0.84}}
UNDEFINED = {name: {"low": None, "high": None} for name in WIDE}

CASES: dict[str, tuple[tuple[float | None, float | None], dict[str, Any], str]] = {
    "behind": ((0.90, 0.70), WIDE, ""),
    "level in one": (
        (0.94, 0.70), WIDE, "is level with the network in ROC AUC 0.940 against 0.950.",
    ),
    "ahead in one, level in the other": (
        (0.98, 0.80), WIDE,
        "is ahead of the network in ROC AUC 0.980 against 0.950, and level with the network in F1"
        " 0.800 against 0.810.",
    ),
    "ahead, without intervals": (
        (0.96, 0.82), {},
        "is ahead of the network in ROC AUC 0.960 against 0.950, F1 0.820 against 0.810.",
    ),
    "behind, with intervals that are not defined": ((0.94, 0.80), UNDEFINED, ""),
    "not defined": ((None, None), WIDE, ""),
}  # fmt: skip


@pytest.mark.parametrize(("forest", "intervals", "sentence"), CASES.values(), ids=CASES.keys())
def test_the_forest_is_named_where_it_is_not_behind(
    forest: tuple[float | None, float | None], intervals: dict[str, Any], sentence: str
) -> None:
    figures = {
        "tile": {"roc_auc": 0.95, "f1": 0.81},
        "intervals": intervals,
        "baselines": {"random_forest": {"tile": {"roc_auc": forest[0], "f1": forest[1]}}},
    }
    text = describe_forest(figures)
    assert sentence in text
    assert bool(text) == bool(sentence)
    assert describe_forest({**figures, "baselines": {}}) == ""
