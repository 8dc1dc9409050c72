"""Metrics of tile scores, their calibration, and the threshold with the best F1."""

from dataclasses import asdict, dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import metrics as sk

from scopewatch_training.network.metrics.as_json import figures_as_json


@dataclass(frozen=True, slots=True, kw_only=True)
class TileMetrics:
    """Figures over tiles at one decision threshold; nan where undefined (one class only).

    Accuracy is never given alone: a model that calls no tile positive reaches
    `accuracy_all_negative`.
    """

    roc_auc: float
    pr_auc: float
    f1: float
    precision: float
    recall: float
    mcc: float
    brier: float
    prevalence: float
    accuracy: float
    accuracy_all_negative: float
    tpr: float
    fpr: float
    threshold: float
    tiles: int

    def to_json(self) -> dict[str, float | int | None]:
        """Return the figures as JSON values; undefined ones are null."""
        return figures_as_json(asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationBin:
    """Tiles of similar probability: its mean, and their share of positive ones."""

    low: float
    high: float
    predicted: float
    observed: float
    tiles: int


def tile_metrics(
    labels: ArrayLike, probability: ArrayLike, threshold: float | ArrayLike
) -> TileMetrics:
    """Judge tile scores.

    Parameters
    ----------
    labels
        1, 0, or -1 for tiles that do not count; any shape.
    probability
        0 to 1, same shape.
    threshold
        A tile is called positive at or above it; one number, or one for each tile where they
        were scored by models with thresholds of their own.

    Raises
    ------
    ValueError
        When shapes differ or no tile counts.
    """
    given, every = np.asarray(labels), np.asarray(threshold, dtype=np.float64)
    truth, score = _counted(given, probability)
    cut = np.broadcast_to(every, given.shape)[given >= 0]
    called = score >= cut
    both = bool(truth.any() and not truth.all())
    prevalence = float(truth.mean())
    true_negative, false_positive, false_negative, true_positive = (
        int(count) for count in sk.confusion_matrix(truth, called, labels=[False, True]).ravel()
    )
    wrong = false_positive + false_negative
    return TileMetrics(
        roc_auc=float(sk.roc_auc_score(truth, score)) if both else nan,
        pr_auc=float(sk.average_precision_score(truth, score)) if truth.any() else nan,
        f1=_share(2 * true_positive, 2 * true_positive + wrong),
        precision=_share(true_positive, true_positive + false_positive),
        recall=_share(true_positive, true_positive + false_negative),
        mcc=_matthews(true_positive, false_positive, false_negative, true_negative),
        brier=float(np.mean(np.square(score - truth))),
        prevalence=prevalence,
        accuracy=float(np.mean(called == truth)),
        accuracy_all_negative=1 - prevalence,
        tpr=_share(true_positive, true_positive + false_negative),
        fpr=_share(false_positive, false_positive + true_negative),
        threshold=float(np.mean(cut)),
        tiles=int(truth.size),
    )


def calibration_curve(
    labels: ArrayLike, probability: ArrayLike, bins: int = 10
) -> list[CalibrationBin]:
    """Return probability and share of positive tiles in equal bins, empty ones left out."""
    truth, score = _counted(labels, probability)
    edges = np.linspace(0, 1, bins + 1)
    member = np.clip(np.digitize(score, edges) - 1, 0, bins - 1)
    return [
        CalibrationBin(
            low=float(edges[each]),
            high=float(edges[each + 1]),
            predicted=float(score[member == each].mean()),
            observed=float(truth[member == each].mean()),
            tiles=int(np.sum(member == each)),
        )
        for each in range(bins)
        if np.any(member == each)
    ]


def best_f1_threshold(labels: ArrayLike, probability: ArrayLike) -> float:
    """Threshold with the highest F1; halfway to the next lower score, so that it generalises.

    Raises
    ------
    ValueError
        When no counted tile is positive.
    """
    truth, score = _counted(labels, probability)
    if not truth.any():
        raise ValueError("no positive tile to choose a threshold by")
    precision, recall, thresholds = sk.precision_recall_curve(truth, score)
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)[:-1]
    best = int(np.argmax(f1))
    below = thresholds[best - 1] if best else 0.0
    return float(np.clip((thresholds[best] + below) / 2, 1e-4, 1 - 1e-4))


def _matthews(
    true_positive: int, false_positive: int, false_negative: int, true_negative: int
) -> float:
    """Return Matthews' correlation: nan where one class alone is there, 0 where it is called.

    Of the counts that are there: scikit-learn counts again, which is a third of a bootstrap.
    """
    positive, negative = true_positive + false_negative, true_negative + false_positive
    if not (positive and negative):
        return nan
    called, other = true_positive + false_positive, true_negative + false_negative
    scale = sqrt(positive) * sqrt(negative) * sqrt(called) * sqrt(other)
    product = true_positive * true_negative - false_positive * false_negative
    return product / scale if scale else 0.0


def _counted(
    labels: ArrayLike, probability: ArrayLike
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    given, score = np.asarray(labels), np.asarray(probability, dtype=np.float64)
    if given.shape != score.shape:
        raise ValueError(f"labels and scores differ in shape: {given.shape} and {score.shape}")
    counted = given >= 0
    if not counted.any():
        raise ValueError("no tile counts")
    return given[counted] == 1, score[counted]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else nan
