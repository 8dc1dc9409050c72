"""How far int8 and float32 may differ, for few and for many tiles."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from scopewatch_training.bundle.agreement import Agreement, compare_scores
from scopewatch_training.network.calibrate import ScoredFrame

THRESHOLD = 0.5
Logits = NDArray[np.float64]


def scored(labels: NDArray[np.int8], scores: NDArray[np.float64]) -> ScoredFrame:
    """A frame of one row of tiles."""
    return ScoredFrame(
        id="a", run="r", labels=labels[None].astype(np.int8), scores=scores[None].astype(np.float32)
    )


def draw(
    seed: int, frames: int, tiles: int, rounding: Callable[[Logits, np.random.Generator], Logits]
) -> Agreement:
    """Compare made-up scores of AUC about 0.92 with the same after rounding."""
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(frames):
        labels = (rng.random(tiles) < rng.uniform(0.2, 0.7)).astype(np.int8)
        logits = rng.normal(2.0 * (2 * labels - 1), 2.0)
        probabilities = [1 / (1 + np.exp(-each)) for each in (logits, rounding(logits, rng))]
        pairs.append([scored(labels, np.round(256 * each) / 256) for each in probabilities])
    return compare_scores([one for one, _ in pairs], [two for _, two in pairs], THRESHOLD)


def noisy(logits: Logits, rng: np.random.Generator) -> Logits:
    """What good networks of this project do: 0.02 to 0.05 of a probability at the threshold."""
    return logits + rng.normal(0, 0.1, logits.shape)


def test_agreement_is_measured_over_counted_tiles() -> None:
    labels = np.array([0, 1, -1, -1], np.int8)
    one = scored(labels, np.array([0.1, 0.9, 0.1, 0.1]))
    two = scored(labels, np.array([0.2, 0.9, 0.9, 0.9]))

    agreement = compare_scores([one], [two], THRESHOLD)

    assert agreement.holds
    assert (agreement.frames, agreement.tiles, agreement.changed) == (1, 2, 0)
    assert (agreement.mean_points, agreement.worst_points, agreement.shift_points) == (0, 0, 0)
    assert agreement.worst_probability == pytest.approx(0.1)
    assert agreement.describe() == (
        "AUC 1.0000 (float 1.0000), efficiency of a frame 0.00 points apart on average,"
        " 0.00 at worst, +0.00 over all frames; 0 of 2 tiles called otherwise"
    )
    assert agreement.describe_limits() == (
        "AUC within 0.002, efficiency of a frame within 0.5 points on average and 0.5 over all"
        " frames, at most 2 tiles called otherwise: limits for frames of about 2 tiles, 1 in all"
    )


def test_frames_without_a_counted_tile_do_not_count() -> None:
    empty = scored(np.array([-1, -1], np.int8), np.array([0.1, 0.9]))
    full = scored(np.array([0, 1], np.int8), np.array([0.1, 0.9]))

    assert compare_scores([empty, full], [empty, full], THRESHOLD).frames == 1


@pytest.mark.parametrize("side", [1, 10])
def test_one_tile_of_a_small_frame_is_chance(side: int) -> None:
    labels = np.array([0, 1] * 8 * side, np.int8)
    scores = np.where(labels == 1, 0.9, 0.1)
    moved = scores.copy()
    moved[0] = 0.6

    agreement = compare_scores([scored(labels, scores)], [scored(labels, moved)], THRESHOLD)

    assert agreement.mean_points == pytest.approx(100 / (16 * side))
    assert agreement.mean_points == pytest.approx(agreement.chance_points)
    assert agreement.holds


def test_one_tile_in_each_of_many_frames_always_to_the_same_side_is_a_shift() -> None:
    labels = np.array([0, 1] * 50, np.int8)
    scores = np.where(labels == 1, 0.9, 0.1)
    moved = scores.copy()
    moved[0] = 0.6
    lowered = scores.copy()
    lowered[1] = 0.4
    frames = [scored(labels, scores)] * 20
    up = compare_scores(frames, [scored(labels, moved)] * 20, THRESHOLD)
    mixed = compare_scores(frames, [scored(labels, moved), scored(labels, lowered)] * 10, THRESHOLD)

    assert (up.mean_points, up.shift_points) == pytest.approx((1.0, 1.0))
    assert not up.holds
    assert (mixed.mean_points, mixed.shift_points) == pytest.approx((1.0, 0.0))
    assert mixed.holds


@pytest.mark.parametrize(("frames", "tiles"), [(6, 16), (6, 64), (18, 256), (12, 1024)])
def test_a_good_network_passes_whatever_the_size_of_its_frames(frames: int, tiles: int) -> None:
    found = [draw(seed, frames, tiles, noisy) for seed in range(100)]

    assert sum(not each.holds for each in found) <= 1


@pytest.mark.parametrize(("frames", "tiles"), [(12, 64), (18, 256), (12, 1024)])
@pytest.mark.parametrize(
    "rounding",
    [
        pytest.param(lambda logits, _: logits + 1.0, id="all shifted"),
        pytest.param(lambda logits, rng: logits + rng.normal(0, 3, logits.shape), id="noise"),
        pytest.param(lambda logits, _: np.round(logits / 4) * 4, id="few steps"),
        pytest.param(lambda logits, _: np.zeros_like(logits), id="dead"),
    ],
)
def test_a_bad_network_is_refused(
    rounding: Callable[[Logits, np.random.Generator], Logits], frames: int, tiles: int
) -> None:
    found = [draw(seed, frames, tiles, rounding) for seed in range(10)]

    assert not any(each.holds for each in found)


def test_the_limit_of_large_frames_is_half_a_point() -> None:
    agreement = draw(0, 40, 4096, noisy)

    assert agreement.most_points == 0.5
    assert agreement.most_shift_points == 0.5
    assert agreement.most_auc == pytest.approx(0.002, abs=2e-4)


def test_the_error_of_the_difference_in_auc_is_their_scatter_over_other_fields() -> None:
    drawn = [draw(seed, 10, 100, noisy) for seed in range(200)]
    differences = [each.auc_int8 - each.auc_float for each in drawn]

    assert np.std(differences) == pytest.approx(np.mean([e.auc_error for e in drawn]), rel=0.15)


def test_frames_of_one_class_have_no_auc_and_may_agree() -> None:
    one = scored(np.zeros(16, np.int8), np.linspace(0, 0.4, 16))

    agreement = compare_scores([one], [one], THRESHOLD)

    assert np.isnan(agreement.auc_float)
    assert agreement.holds
