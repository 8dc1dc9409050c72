"""The distance to the training frames, learnt by leaving runs out."""

import numpy as np
import pytest

from scopewatch.core.imaging.quality import distance_to
from scopewatch_training.bundle.distance import learn_distance, widening

SPREADS = {"skewness": 0.5, "entropy": 0.2, "tails": 0.005}


def runs_of(count: int, apart: float = 0.1, seed: int = 0) -> dict[str, list[dict[str, float]]]:
    """Return frames of some runs; entropy rises with skewness in all of them."""
    rng = np.random.default_rng(seed)
    runs = {}
    for run in range(count):
        middle = apart * rng.normal()
        skews = middle + 0.5 * rng.normal(size=12)
        runs[f"run{run}"] = [
            {
                "skewness": float(skew),
                "entropy": float(4 + 0.8 * skew + 0.02 * rng.normal()),
                "tails": 0.01,
            }
            for skew in skews
        ]
    return runs


def test_nearly_all_training_frames_are_within_the_limit() -> None:
    for seed in range(5):
        groups = runs_of(4, seed=seed)
        limit = learn_distance(groups, SPREADS)
        assert limit is not None
        frames = [frame for members in groups.values() for frame in members]
        within = [distance_to(frame, limit)[0] <= limit.limit for frame in frames]
        assert np.mean(within) >= 0.95


def test_one_frame_among_hundreds_does_not_open_the_limit_to_everything() -> None:
    groups = runs_of(9)
    plain = learn_distance(groups, SPREADS)
    groups["run0"][0] |= {"tails": 0.2}
    odd = learn_distance(groups, SPREADS)
    assert plain is not None
    assert odd is not None

    assert distance_to(groups["run0"][0], odd)[0] > odd.limit
    assert odd.limit < 1.5 * plain.limit


def test_a_frame_in_a_corner_of_the_box_is_far_though_each_measure_is_usual() -> None:
    groups = runs_of(5)
    limit = learn_distance(groups, SPREADS)
    assert limit is not None
    frames = [frame for members in groups.values() for frame in members]
    high = max(frame["skewness"] for frame in frames)
    low = min(frame["entropy"] for frame in frames)

    along = distance_to({"skewness": high, "entropy": 4 + 0.8 * high, "tails": 0.01}, limit)[0]
    corner = distance_to({"skewness": high, "entropy": low, "tails": 0.01}, limit)[0]

    assert corner > 1.5 * along
    assert corner > limit.limit


def test_runs_that_differ_widen_the_limit() -> None:
    near, far = (learn_distance(runs_of(4, apart=apart), SPREADS) for apart in (0.1, 4.0))

    assert near is not None
    assert far is not None
    assert far.limit > near.limit


def test_runs_that_are_all_alike_still_leave_room_for_the_next_one() -> None:
    same = {"skewness": 0.0, "entropy": 4.0, "tails": 0.01}
    limit = learn_distance({"a": [same, same], "b": [same, same]}, SPREADS)
    assert limit is not None

    assert limit.limit == pytest.approx(2 * 3**0.5, abs=1e-4)
    next_day = {name: value + 1.5 * SPREADS[name] for name, value in same.items()}
    assert distance_to(next_day, limit)[0] < limit.limit


def test_a_single_group_leaves_none_out_and_gives_no_limit() -> None:
    assert learn_distance(runs_of(1), SPREADS) is None


def test_the_fewer_runs_were_left_out_the_wider_is_the_limit() -> None:
    assert [widening(count) for count in (2, 3, 5)] == [2, 1.5, 1.25]
