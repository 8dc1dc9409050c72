from math import isnan

import numpy as np
import pytest
from sklearn import metrics as sk

from scopewatch_training.network.metrics.bootstrap import bootstrap
from scopewatch_training.network.metrics.images import concordance, image_metrics
from scopewatch_training.network.metrics.tiles import (
    best_f1_threshold,
    calibration_curve,
    tile_metrics,
)

LABELS = np.array([1, 1, 1, 0, 0, 0, 0, 0, -1, -1])
SCORES = np.array([0.9, 0.8, 0.3, 0.7, 0.2, 0.1, 0.1, 0.0, 1.0, 0.0])


def test_tile_figures_are_those_of_a_worked_example() -> None:
    figures = tile_metrics(LABELS, SCORES, 0.5)
    assert (figures.tiles, figures.prevalence) == (8, 0.375)
    assert figures.precision == pytest.approx(2 / 3)
    assert figures.recall == figures.tpr == pytest.approx(2 / 3)
    assert figures.f1 == pytest.approx(2 / 3)
    assert figures.fpr == pytest.approx(1 / 5)
    assert figures.roc_auc == pytest.approx(14 / 15)
    assert figures.mcc == pytest.approx((2 * 4 - 1 * 1) / np.sqrt(3 * 3 * 5 * 5))
    assert (figures.accuracy, figures.accuracy_all_negative) == (0.75, 0.625)
    assert figures.brier == pytest.approx((0.01 + 0.04 + 0.49 + 0.49 + 0.04 + 0.01 + 0.01 + 0) / 8)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("steps", [2, 10, 256])
def test_tile_figures_are_those_of_scikit_learn(seed: int, steps: int) -> None:
    rng = np.random.default_rng([seed, steps])
    size = int(rng.integers(2, 300))
    truth = rng.random(size) < rng.random()
    # Steps, as int8 scores have: many are equal.
    score = np.clip(0.4 * truth + rng.random(size), 0, 1).round(3) * steps // 1 / steps
    cut = float(rng.random())

    found = tile_metrics(truth.astype(int), score, cut)

    called = score >= cut
    precision, recall, f1, _ = sk.precision_recall_fscore_support(
        truth, called, average="binary", zero_division=np.nan
    )
    both = truth.any() and not truth.all()
    expected = {
        "roc_auc": sk.roc_auc_score(truth, score) if both else np.nan,
        "pr_auc": sk.average_precision_score(truth, score) if truth.any() else np.nan,
        "mcc": sk.matthews_corrcoef(truth, called) if both else np.nan,
        "precision": precision,
        "recall": recall,
        "f1": f1,
    }
    for name, value in expected.items():
        assert getattr(found, name) == pytest.approx(float(value), abs=1e-12, nan_ok=True), name


def test_tiles_that_do_not_count_change_nothing() -> None:
    kept = LABELS >= 0
    assert tile_metrics(LABELS, SCORES, 0.5) == tile_metrics(LABELS[kept], SCORES[kept], 0.5)


def test_each_tile_may_bring_the_threshold_of_its_own_model() -> None:
    cuts = np.where(SCORES == 0.3, 0.25, 0.75)
    figures = tile_metrics(LABELS, SCORES, cuts)
    assert (figures.precision, figures.recall) == (1.0, 1.0)


def test_one_class_alone_leaves_the_areas_undefined_and_null_in_json() -> None:
    figures = tile_metrics([0, 0, 0], [0.1, 0.2, 0.9], 0.5)
    assert isnan(figures.roc_auc)
    assert isnan(figures.recall)
    values = figures.to_json()
    assert values["roc_auc"] is None
    assert values["fpr"] == pytest.approx(1 / 3)


def test_no_tile_to_count_is_refused() -> None:
    with pytest.raises(ValueError, match="no tile counts"):
        tile_metrics([-1], [0.5], 0.5)


def test_labels_and_scores_of_different_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        tile_metrics([0, 1], [0.5], 0.5)


def test_a_constant_offset_is_all_bias_and_lowers_concordance_but_not_r() -> None:
    truth = np.linspace(0.1, 0.9, 9)
    figures = image_metrics(truth + 0.05, truth)
    assert figures.r == pytest.approx(1)
    assert figures.bias == pytest.approx(5)
    assert figures.mae == pytest.approx(5)
    assert figures.limit_low == pytest.approx(5, abs=1e-6)
    assert figures.ccc == pytest.approx(2 * truth.var() / (2 * truth.var() + 0.05**2))


def test_bland_altman_limits_are_two_deviations_about_the_bias() -> None:
    truth = np.zeros(4)
    figures = image_metrics(np.array([0.1, -0.1, 0.1, -0.1]), truth)
    spread = 100 * np.std([0.1, -0.1, 0.1, -0.1], ddof=1)
    assert figures.limit_high == pytest.approx(1.96 * spread)
    assert isnan(figures.r)
    assert figures.to_json()["r"] is None


def test_identical_constants_have_no_concordance() -> None:
    assert isnan(concordance(np.ones(3), np.ones(3)))


def test_a_calibration_curve_puts_each_tile_in_its_bin() -> None:
    bins = calibration_curve([1, 0, 1, 1], [0.05, 0.08, 0.95, 1.0])
    assert [(each.low, each.tiles) for each in bins] == [(0.0, 2), (pytest.approx(0.9), 2)]
    assert bins[0].observed == 0.5
    assert bins[1].predicted == pytest.approx(0.975)


def test_the_best_threshold_lies_between_the_scores_it_parts() -> None:
    cut = best_f1_threshold([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9])
    assert cut == pytest.approx(0.4)
    assert tile_metrics([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9], cut).f1 == 1


def test_a_threshold_needs_a_positive_tile() -> None:
    with pytest.raises(ValueError, match="no positive tile"):
        best_f1_threshold([0, 0], [0.1, 0.2])


def test_the_bootstrap_draws_whole_groups() -> None:
    values = np.repeat([0.0, 1.0, 2.0, 3.0], 50)
    groups = [f"g{int(value)}" for value in values]
    found = bootstrap(
        lambda indices: {"mean": float(values[indices].mean()), "never": float("nan")},
        groups,
        np.random.default_rng(0),
        repeats=400,
    )
    assert found["mean"].value == 1.5
    # The deviation of a mean of four draws from 0..3 is 0.56; of 200 it would be 0.08.
    assert found["mean"].high - found["mean"].low > 1.5
    assert isnan(found["never"].low)
