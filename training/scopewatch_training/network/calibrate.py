"""Calibration, threshold, error rates and interval, from scores of held-out runs.

All of it is learnt from tiles of runs that the scoring network was not trained on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.efficiency import ErrorRates, correct
from scopewatch.core.imaging.labels import NOT_COUNTED
from scopewatch.core.imaging.model_card.held_out import HeldOutErrors


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoredFrame:
    """Tile labels of a frame and the scores of a network that never saw its run.

    Parameters
    ----------
    labels
        (rows, cols) int8: 1, 0, -1 not counted.
    scores
        (rows, cols) float32: logits or probabilities.
    """

    id: str
    run: str
    labels: NDArray[np.int8]
    scores: NDArray[np.float32]

    @property
    def counted(self) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """Labels and scores of the tiles that count, flat."""
        kept = self.labels != NOT_COUNTED
        return self.labels[kept], self.scores[kept]


@dataclass(frozen=True, slots=True, kw_only=True)
class Platt:
    """Calibrated logit = slope * logit + intercept (Platt, 1999)."""

    slope: float
    intercept: float


def join_tiles(
    frames: Sequence[ScoredFrame],
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return labels and scores of all counted tiles, flat."""
    pairs = [frame.counted for frame in frames]
    labels = np.concatenate([pair[0] for pair in pairs]) if pairs else np.empty(0, np.int8)
    scores = np.concatenate([pair[1] for pair in pairs]) if pairs else np.empty(0, np.float32)
    return labels, scores


def pool_tiles(
    frames: Sequence[ScoredFrame],
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return labels and scores of all counted tiles, flat, of both classes.

    Raises
    ------
    ConfigError
        When there are not both positive and negative tiles to learn from.
    """
    labels, scores = join_tiles(frames)
    positive = int(np.count_nonzero(labels == 1))
    if positive in (0, labels.size):
        raise ConfigError(
            complaint(
                "runs hold no tile of one class",
                where=", ".join(sorted({frame.run for frame in frames})) or "no run",
                expected="positive and negative tiles",
                got=f"{positive} positive of {labels.size}",
                do="check the binarisation in the data set's report, or add runs",
            )
        )
    return labels, scores


def fit_platt(frames: Sequence[ScoredFrame]) -> Platt:
    """Fit the calibration to logits, by Newton's method on the regularised log likelihood.

    Targets are drawn in from 0 and 1 as Platt proposes, so that classes which a logit separates
    wholly still give a finite slope.
    """
    labels, logits = pool_tiles(frames)
    positives, negatives = np.count_nonzero(labels == 1), np.count_nonzero(labels == 0)
    target = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    design = np.stack([logits.astype(np.float64), np.ones(logits.size)], axis=1)
    weights = np.array([1.0, 0.0])
    for _ in range(100):
        probability = _sigmoid(design @ weights)
        curvature = np.maximum(probability * (1 - probability), 1e-9)
        # A weak pull towards slope 1, intercept 0: as strong as one tile.
        gradient = design.T @ (probability - target) + (weights - (1.0, 0.0))
        hessian = (design.T * curvature) @ design + np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        step /= max(1.0, float(np.abs(step).max()))
        weights -= step
        if float(np.abs(step).max()) < 1e-7:
            break
    return Platt(slope=max(float(weights[0]), 1e-3), intercept=float(weights[1]))


def calibrated_loss(frames: Sequence[ScoredFrame]) -> float:
    """Return the mean cross-entropy of logits after `fit_platt` on these very frames.

    Of frames with one class only, which cannot be calibrated, the plain cross-entropy.
    """
    labels = np.concatenate([frame.counted[0] for frame in frames])
    logits = np.concatenate([frame.counted[1] for frame in frames]).astype(np.float64)
    if 0 < np.count_nonzero(labels == 1) < labels.size:
        platt = fit_platt(frames)
        logits = platt.slope * logits + platt.intercept
    return float(np.mean(np.logaddexp(0, np.where(labels == 1, -logits, logits))))


def choose_threshold(frames: Sequence[ScoredFrame], *, slack: float = 0.003) -> float:
    """Return the decision threshold for probabilities.

    F1 is nearly flat about its maximum. Among the thresholds whose F1 is within `slack` of the
    best, the one is taken that finds the number of positive tiles nearest to the true one, so
    that little is left for the correction to do.
    """
    labels, scores = pool_tiles(frames)
    found = np.unique(scores).astype(np.float64)
    # Midway between two steps of the int8 output, so that equality never decides.
    candidates = (found[1:] + found[:-1]) / 2
    candidates = candidates[(candidates > 0.02) & (candidates < 0.98)]
    if not candidates.size:
        return 0.5
    positive = np.sort(scores[labels == 1])
    everything = np.sort(scores)
    hits = positive.size - np.searchsorted(positive, candidates)
    called = everything.size - np.searchsorted(everything, candidates)
    f1 = 2 * hits / (called + positive.size)
    good = f1 >= f1.max() - slack
    off = np.where(good, np.abs(called - positive.size), inf)
    return float(candidates[np.argmin(off)])


def measure_errors(
    frames: Sequence[ScoredFrame], threshold: float, coverage: float = 0.9
) -> HeldOutErrors:
    """Measure error rates and the interval of the corrected efficiency.

    The rates are those of images, not of tiles pooled over them: the least-squares line
    raw = fpr + (tpr - fpr) * true through the frames. Pooled tile rates would be wrong for nearly
    every frame, because tiles err at the borders of positive patches: an empty and a full frame
    have no border, so that errors go with p (1 - p) and not with p.

    The half width is the split-conformal quantile (Vovk et al., 2005) of |corrected - true|, each
    run corrected by the line through the other runs; runs weigh alike, however many frames they
    have. Frames of one run give no half width: they say nothing of another run.
    """
    runs = list(dict.fromkeys(frame.run for frame in frames))
    shares = {run: _shares(frames, run, threshold) for run in runs}
    shares = {run: pairs for run, pairs in shares.items() if len(pairs)}
    tpr, fpr = _image_rates(np.concatenate(list(shares.values())))
    rates = ErrorRates(tpr=tpr, fpr=fpr, half_width=0.0, coverage=coverage)
    biases, residuals = {}, {}
    for run, pairs in shares.items():
        rest = [others for name, others in shares.items() if name != run]
        elsewhere = _image_rates(np.concatenate(rest)) if rest else (tpr, fpr)
        honest = ErrorRates(tpr=elsewhere[0], fpr=elsewhere[1], half_width=0.0, coverage=coverage)
        residuals[run] = [correct(raw, honest).value - true for raw, true in pairs]
        biases[run] = [correct(raw, rates).value - true for raw, true in pairs]
    return HeldOutErrors(
        tpr=round(tpr, 6),
        fpr=round(fpr, 6),
        half_width=(
            round(min(1.0, _conformal_quantile(residuals, coverage)), 6)
            if len(residuals) > 1
            else None
        ),
        coverage=coverage,
        run_residuals={run: round(float(np.mean(r)), 6) for run, r in sorted(biases.items())},
    )


def _shares(frames: Sequence[ScoredFrame], run: str, threshold: float) -> NDArray[np.float64]:
    """Return (raw, true) positive share of a run's frames: (frames, 2)."""
    counted = [frame.counted for frame in frames if frame.run == run]
    rows = [
        (float(np.mean(found >= threshold)), float(np.mean(truth == 1)))
        for truth, found in counted
        if truth.size
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def _image_rates(pairs: NDArray[np.float64]) -> tuple[float, float]:
    """Return (tpr, fpr) of the line raw = fpr + (tpr - fpr) * true through (raw, true) rows.

    The line is drawn in towards raw = true as by one frame at 0 and one at 1 that are right, so
    that frames of like efficiency do not turn it about.
    """
    raw = np.concatenate([pairs[:, 0], (0.0, 1.0)])
    true = np.concatenate([pairs[:, 1], (0.0, 1.0)])
    slope, intercept = np.polyfit(true, raw, 1)
    return float(np.clip(intercept + slope, 0, 1)), float(np.clip(intercept, 0, 1))


def _conformal_quantile(residuals: Mapping[str, Sequence[float]], coverage: float) -> float:
    """Return the run-weighted conformal quantile of the absolute residuals."""
    sizes = np.concatenate([np.abs(values) for values in residuals.values()])
    weights = np.concatenate([np.full(len(v), 1 / len(v)) for v in residuals.values()])
    count = len(sizes)
    level = min(1.0, ceil((count + 1) * coverage) / count)
    order = np.argsort(sizes)
    reached = np.cumsum(weights[order]) / weights.sum()
    index = min(int(np.searchsorted(reached, level - 1e-9)), count - 1)
    return float(sizes[order][index])


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60, 60))))
