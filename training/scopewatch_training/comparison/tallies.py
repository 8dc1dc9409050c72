"""Scores of fields as counts, from which figures follow for any weights of the fields.

A bootstrap draws wells some thousand times. Counts of tiles by score make each draw a product of
small matrices; scores of int8 networks have at most 256 values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch_training.evaluation.assessment import ScoredField

Array = NDArray[np.float64]

FIGURES: Final = ("roc_auc", "f1", "mae", "bias", "abs_bias", "r", "raw_mae")
"""Figures of `Tally.figures`; errors and biases of efficiencies are in percentage points."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tally:
    """Counts of each field, fields in rows.

    Parameters
    ----------
    positive, negative
        (fields, scores) positive and negative tiles at each score, scores ascending.
    called
        (fields, 3) true positive, false positive and false negative tiles.
    truth, corrected, raw
        (fields,) efficiencies, 0 to 1.
    """

    positive: Array
    negative: Array
    called: Array
    truth: Array
    corrected: Array
    raw: Array

    def figures(self, weights: Array) -> dict[str, float]:
        """Return all figures with each field counted `weights` times; nan where undefined."""
        true_positive, false_positive, false_negative = weights @ self.called
        whole = 2 * true_positive + false_positive + false_negative
        off = 100 * (self.corrected - self.truth)
        bias = _mean(off, weights)
        return {
            "roc_auc": _auc(weights @ self.positive, weights @ self.negative),
            "f1": float(2 * true_positive / whole) if whole else nan,
            "mae": _mean(np.abs(off), weights),
            "bias": bias,
            "abs_bias": abs(bias),
            "r": _correlation(self.corrected, self.truth, weights),
            "raw_mae": _mean(np.abs(100 * (self.raw - self.truth)), weights),
        }


def tally(fields: Sequence[ScoredField]) -> Tally:
    """Count the tiles of fields, each of which has one that counts."""
    levels = np.unique(np.concatenate([each.probability[each.counted] for each in fields]))
    shape = (len(fields), len(levels))
    positive, negative = np.zeros(shape), np.zeros(shape)
    called = np.zeros((len(fields), 3))
    for row, field in enumerate(fields):
        score, true = field.probability[field.counted], field.labels[field.counted] == 1
        place = np.searchsorted(levels, score)
        positive[row] = np.bincount(place[true], minlength=len(levels))
        negative[row] = np.bincount(place[~true], minlength=len(levels))
        found = score >= field.threshold
        called[row] = (found & true).sum(), (found & ~true).sum(), (~found & true).sum()
    return Tally(
        positive=positive,
        negative=negative,
        called=called,
        truth=np.array([each.truth for each in fields]),
        corrected=np.array([each.corrected for each in fields]),
        raw=np.array([each.raw for each in fields]),
    )


def _auc(positive: Array, negative: Array) -> float:
    """Share of (positive, negative) tiles whose positive one scores higher; ties count half."""
    pairs = positive.sum() * negative.sum()
    below = np.cumsum(negative) - negative / 2
    return float(positive @ below / pairs) if pairs else nan


def _mean(values: Array, weights: Array) -> float:
    return float(values @ weights / weights.sum())


def _correlation(one: Array, two: Array, weights: Array) -> float:
    """Pearson's r with weights; nan where either is constant."""
    first, second = one - _mean(one, weights), two - _mean(two, weights)
    spread = np.sqrt((weights @ first**2) * (weights @ second**2))
    return float(weights @ (first * second) / spread) if spread > 1e-12 else nan
