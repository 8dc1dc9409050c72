"""Ratios of pairs: robust to a machine that slows down, and as wide as their noise."""

import numpy as np
import pytest

from benchmarks.paired.ratios import Ratio, paired_ratio


def test_load_that_meets_both_of_a_pair_changes_nothing() -> None:
    load = np.linspace(1, 5, 31)
    ratio = paired_ratio(list(0.5 * load), list(load))
    assert (ratio.median, ratio.low, ratio.high) == pytest.approx((0.5, 0.5, 0.5))
    assert ratio.pairs == 31


def test_the_interval_encloses_the_median_and_narrows_with_pairs() -> None:
    rng = np.random.default_rng(1)
    old, new = rng.normal(1, 0.1, 400), rng.normal(0.8, 0.1, 400)
    few, many = (paired_ratio(list(new[:count]), list(old[:count])) for count in (20, 400))
    for ratio in (few, many):
        assert ratio.low < ratio.median < ratio.high
    assert many.high - many.low < (few.high - few.low) / 2


def test_the_interval_holds_the_true_ratio_about_as_often_as_it_says() -> None:
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        old = rng.lognormal(0, 0.2, 30)
        new = 0.7 * old * rng.lognormal(0, 0.1, 30)
        ratio = paired_ratio(list(new), list(old))
        held += ratio.low <= 0.7 <= ratio.high
    assert 88 <= held <= 100


def test_one_outlier_moves_the_median_little() -> None:
    ratio = paired_ratio([1.0] * 30 + [50.0], [1.0] * 31)
    assert ratio.median == 1


@pytest.mark.parametrize(("new", "old"), [([], []), ([1.0], [1.0, 2.0])])
def test_measurements_without_a_partner_are_refused(new: list[float], old: list[float]) -> None:
    with pytest.raises(ValueError, match="are no pairs"):
        paired_ratio(new, old)


def test_small_ratios_keep_their_digits() -> None:
    shown = str(Ratio(median=0.000141, low=0.00013, high=0.36, pairs=30))
    assert shown == "0.00014 (0.00013 to 0.360, 30 pairs)"
