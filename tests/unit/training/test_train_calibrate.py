"""Calibration, threshold, error rates and intervals from held-out scores."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scopewatch.core.errors import ConfigError
from scopewatch.core.imaging.efficiency import correct
from scopewatch_training.network.calibrate import (
    ScoredFrame,
    calibrated_loss,
    choose_threshold,
    fit_platt,
    measure_errors,
    pool_tiles,
)


def frame(
    labels: NDArray[Any], scores: NDArray[Any], run: str = "a", name: str = "f"
) -> ScoredFrame:
    return ScoredFrame(
        id=name,
        run=run,
        labels=np.asarray(labels, dtype=np.int8).reshape(1, -1),
        scores=np.asarray(scores, dtype=np.float32).reshape(1, -1),
    )


def frames_that_err_at_borders(runs: int, wells: int, gain: float = 0.2) -> list[ScoredFrame]:
    """Return frames that miss and invent p (1 - p) tiles each, at the borders of patches."""
    rng = np.random.default_rng(0)
    made = []
    for run in range(runs):
        for p in np.linspace(0, 1, wells):
            labels = (np.arange(400) < 400 * p).astype(np.int8)
            wrong = rng.random(400) < gain * np.where(labels == 1, 1 - p, p)
            scores = np.where(wrong, 1 - labels, labels) * 0.8 + 0.1
            made.append(frame(labels, scores, run=f"run{run}"))
    return made


def test_tiles_that_do_not_count_are_left_out() -> None:
    labels, scores = pool_tiles([frame(np.array([1, -1, 0]), np.array([0.9, 0.5, 0.1]))])

    assert labels.tolist() == [1, 0]
    assert scores.tolist() == pytest.approx([0.9, 0.1])


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        pool_tiles([frame(np.array([0, 0]), np.array([0.1, 0.2]), run="auto")])

    assert str(caught.value) == (
        "runs hold no tile of one class: auto (expected positive and negative tiles, got 0"
        " positive of 2); check the binarisation in the data set's report, or add runs"
    )


def test_platt_finds_the_slope_and_intercept_that_made_the_labels() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 3, 20_000)
    labels = rng.random(20_000) < 1 / (1 + np.exp(-(0.6 * logits - 0.8)))

    platt = fit_platt([frame(labels.astype(np.int8), logits)])

    assert platt.slope == pytest.approx(0.6, abs=0.03)
    assert platt.intercept == pytest.approx(-0.8, abs=0.05)


def test_platt_stays_finite_where_logits_separate_the_classes() -> None:
    labels = np.array([0] * 50 + [1] * 50)

    platt = fit_platt([frame(labels, np.where(labels == 1, 4.0, -4.0))])

    assert 0.5 < platt.slope < 10
    assert abs(platt.intercept) < 1


@settings(max_examples=30, deadline=None)
@given(st.floats(-8, 8), st.floats(0.1, 8), st.integers(1, 60), st.integers(1, 60))
def test_platt_never_reverses_scores(
    middle: float, spread: float, positives: int, negatives: int
) -> None:
    rng = np.random.default_rng(positives * 100 + negatives)
    labels = np.array([1] * positives + [0] * negatives, dtype=np.int8)
    platt = fit_platt([frame(labels, rng.normal(middle, spread, labels.size))])

    assert 0 < platt.slope < 100
    assert np.isfinite(platt.intercept)


def test_the_threshold_lies_where_the_count_comes_out_right() -> None:
    rng = np.random.default_rng(2)
    truth = rng.random(50_000) < 0.2
    probability = np.clip(np.where(truth, 0.75, 0.25) + rng.normal(0, 0.2, truth.size), 0, 1)

    threshold = choose_threshold([frame(truth.astype(np.int8), probability)])

    called = np.mean(probability >= threshold)
    assert called == pytest.approx(0.2, abs=0.01)


def test_a_threshold_is_never_a_step_of_the_int8_output() -> None:
    labels = np.array([0, 0, 1, 1, 1])
    threshold = choose_threshold([frame(labels, np.array([10, 80, 150, 200, 255]) / 256)])

    assert threshold * 256 % 1 == pytest.approx(0)
    assert threshold * 512 % 2 == pytest.approx(0) or threshold * 512 % 1 == pytest.approx(0)
    assert 80 / 256 < threshold < 150 / 256


def test_scores_that_are_all_alike_get_the_middle_threshold() -> None:
    assert choose_threshold([frame(np.array([0, 1]), np.array([0.4, 0.4]))]) == 0.5


def test_image_rates_leave_less_bias_than_pooled_tile_rates() -> None:
    frames = frames_that_err_at_borders(runs=4, wells=10)

    errors = measure_errors(frames, 0.5)

    left = [
        correct(float(np.mean(f.scores >= 0.5)), errors.rates()).value - np.mean(f.labels == 1)
        for f in frames
    ]
    labels, scores = pool_tiles(frames)
    tpr = np.mean(scores[labels == 1] >= 0.5)
    fpr = np.mean(scores[labels == 0] >= 0.5)
    pooled = [
        np.clip((np.mean(f.scores >= 0.5) - fpr) / (tpr - fpr), 0, 1) - np.mean(f.labels == 1)
        for f in frames
    ]
    assert np.mean(np.abs(left)) < 0.6 * np.mean(np.abs(pooled))
    assert errors.run_residuals.keys() == {"run0", "run1", "run2", "run3"}


def test_a_perfect_classifier_needs_no_correction() -> None:
    labels = [(np.arange(100) < n).astype(np.int8) for n in (5, 30, 60, 90)]
    frames = [frame(each, each * 0.9, run=f"run{i % 2}") for i, each in enumerate(labels)]

    errors = measure_errors(frames, 0.5)

    assert [errors.tpr, errors.fpr] == pytest.approx([1.0, 0.0])
    assert errors.half_width == pytest.approx(0.0, abs=1e-6)


def test_the_interval_holds_the_truth_of_further_runs_about_as_often_as_promised() -> None:
    rng = np.random.default_rng(5)

    def run_frames(name: str) -> list[ScoredFrame]:
        shift = rng.normal(0, 0.03)
        made = []
        for p in rng.uniform(0.1, 0.9, 8):
            labels = (np.arange(1000) < 1000 * p).astype(np.int8)
            called = int(1000 * np.clip(p + shift + rng.normal(0, 0.01), 0, 1))
            made.append(frame(labels, (np.arange(1000) < called) * 0.9, run=name))
        return made

    covered = []
    for trial in range(60):
        known = [f for run in range(7) for f in run_frames(f"{trial}-{run}")]
        errors = measure_errors(known, 0.5)
        for f in run_frames("new"):
            value = correct(float(np.mean(f.scores >= 0.5)), errors.rates()).value
            covered.append(abs(value - np.mean(f.labels == 1)) <= errors.half_width)
    assert 0.8 <= np.mean(covered) <= 0.97


def test_the_calibrated_loss_forgives_a_scale_and_a_shift_but_not_wrong_order() -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(0, 2, 4000)
    labels = (rng.random(4000) < 1 / (1 + np.exp(-logits))).astype(np.int8)

    right = calibrated_loss([frame(labels, logits)])

    assert calibrated_loss([frame(labels, 3 * logits - 2)]) == pytest.approx(right, abs=1e-3)
    assert calibrated_loss([frame(labels, rng.permutation(logits))]) > right + 0.1
    assert calibrated_loss([frame(labels * 0, labels * 0 - 20.0)]) == pytest.approx(0, abs=1e-6)
