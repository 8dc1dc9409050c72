"""Metrics of tile scores and of efficiencies.

All efficiencies are fractions, 0 to 1, except where a name says points (percentage points).
docs/method.md lists the references.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite, nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import metrics as sk

Array = NDArray[np.float64]


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
        return _json(asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageMetrics:
    """Figures over images: estimated against true efficiency.

    `bias` and `mae` are in percentage points, as are the Bland-Altman limits; `r` is Pearson's,
    `ccc` Lin's concordance. nan where undefined.
    """

    r: float
    bias: float
    mae: float
    ccc: float
    limit_low: float
    limit_high: float
    images: int

    def to_json(self) -> dict[str, float | int | None]:
        """Return the figures as JSON values; undefined ones are null."""
        return _json(asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationBin:
    """Tiles of similar probability: its mean, and their share of positive ones."""

    low: float
    high: float
    predicted: float
    observed: float
    tiles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A bootstrap interval of a figure."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float | int | None]:
        """Return the interval as JSON values; undefined ends are null."""
        return _json(asdict(self))


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


def image_metrics(estimate: ArrayLike, truth: ArrayLike) -> ImageMetrics:
    """Judge efficiencies of images: fractions in, points out.

    Bland-Altman limits are bias +- 1.96 standard deviations of the differences.

    Raises
    ------
    ValueError
        When lengths differ or there is no image.
    """
    given, true = (np.asarray(each, dtype=np.float64) for each in (estimate, truth))
    if given.shape != true.shape or given.ndim != 1 or not given.size:
        raise ValueError(f"efficiencies do not match: {given.shape} and {true.shape}")
    difference = 100 * (given - true)
    bias = float(difference.mean())
    spread = float(difference.std(ddof=1)) if given.size > 1 else nan
    return ImageMetrics(
        r=_pearson(given, true),
        bias=bias,
        mae=float(np.abs(difference).mean()),
        ccc=concordance(given, true),
        limit_low=bias - 1.96 * spread,
        limit_high=bias + 1.96 * spread,
        images=int(given.size),
    )


def concordance(estimate: Array, truth: Array) -> float:
    """Lin's concordance correlation coefficient; nan when both are constant."""
    covariance = float(np.mean((estimate - estimate.mean()) * (truth - truth.mean())))
    scale = float(estimate.var() + truth.var() + (estimate.mean() - truth.mean()) ** 2)
    return 2 * covariance / scale if scale > 0 else nan


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


def bootstrap(
    figures: Callable[[NDArray[np.intp]], Mapping[str, float]],
    groups: Sequence[str],
    rng: np.random.Generator,
    *,
    repeats: int = 1000,
    coverage: float = 0.95,
) -> dict[str, Interval]:
    """Percentile bootstrap over whole groups (fields, or runs), since tiles of one are alike.

    Parameters
    ----------
    figures
        Maps indices into the items to named figures; nan is left out of the percentiles.
    groups
        The group of each item.
    """
    names = np.asarray(groups)
    members = [np.flatnonzero(names == name) for name in dict.fromkeys(groups)]
    values = figures(np.arange(len(names)))
    drawn: dict[str, list[float]] = {name: [] for name in values}
    for _ in range(repeats):
        picked = rng.integers(0, len(members), len(members))
        for name, value in figures(np.concatenate([members[each] for each in picked])).items():
            if isfinite(value):
                drawn[name].append(value)
    tail = 50 * (1 - coverage)
    return {
        name: Interval(value=value, low=low, high=high)
        for name, value in values.items()
        for low, high in [
            np.percentile(drawn[name], (tail, 100 - tail)).tolist() if drawn[name] else (nan, nan)
        ]
    }


def _counted(labels: ArrayLike, probability: ArrayLike) -> tuple[NDArray[np.bool_], Array]:
    given, score = np.asarray(labels), np.asarray(probability, dtype=np.float64)
    if given.shape != score.shape:
        raise ValueError(f"labels and scores differ in shape: {given.shape} and {score.shape}")
    counted = given >= 0
    if not counted.any():
        raise ValueError("no tile counts")
    return given[counted] == 1, score[counted]


def _pearson(one: Array, two: Array) -> float:
    if one.size < 2 or not one.std() or not two.std():
        return nan
    return float(np.corrcoef(one, two)[0, 1])


def _share(part: int, whole: int) -> float:
    return part / whole if whole else nan


def _json(values: dict[str, Any]) -> dict[str, float | int | None]:
    return {
        name: None if isinstance(value, float) and not isfinite(value) else value
        for name, value in values.items()
    }
