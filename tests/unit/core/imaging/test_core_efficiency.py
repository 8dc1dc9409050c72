"""Raw fraction, correction and pooling, with intervals that say what is known."""

from typing import Any

import numpy as np
import pytest

from scopewatch.core.imaging.efficiency import (
    Efficiency,
    ErrorRates,
    correct,
    pool,
    positive_fraction,
)
from scopewatch.core.imaging.tiling import TileGrid, TileScores

RATES = ErrorRates(tpr=0.76, fpr=0.02, half_width=0.05)


def make_scores(probability: list[list[float]], valid: list[list[bool]]) -> TileScores:
    grid = TileGrid(height=32 * len(probability), width=32 * len(probability[0]), tile_px=32)
    return TileScores(
        grid=grid, probability=np.array(probability, np.float32), valid=np.array(valid)
    )


def corrected(value: float, half_width: float = 0.05) -> Efficiency:
    return Efficiency(
        value=value,
        low=max(value - half_width, 0),
        high=min(value + half_width, 1),
        corrected=True,
    )


def test_only_valid_tiles_are_counted() -> None:
    scores = make_scores([[0.9, 0.9], [0.1, 0.1]], [[True, False], [True, True]])
    assert positive_fraction(scores, 0.5) == pytest.approx(1 / 3)


def test_a_tile_at_the_threshold_counts_as_positive() -> None:
    assert positive_fraction(make_scores([[0.5]], [[True]]), 0.5) == 1


def test_without_a_valid_tile_there_is_no_fraction() -> None:
    assert positive_fraction(make_scores([[0.9]], [[False]]), 0.5) is None


def test_the_published_bias_is_corrected() -> None:
    # With TPR 0.76 and FPR 0.02 a true 60 % well reads 46 %.
    seen = correct(0.02 + 0.74 * 0.6, RATES)
    assert seen.value == pytest.approx(0.6)
    assert [seen.low, seen.high] == pytest.approx([0.55, 0.65])
    assert seen.corrected


@pytest.mark.parametrize(("raw", "value"), [(0.0, 0.0), (0.01, 0.0), (0.9, 1.0), (1.0, 1.0)])
def test_a_corrected_value_stays_a_fraction(raw: float, value: float) -> None:
    assert correct(raw, RATES).value == value


@pytest.mark.parametrize("rates", [None, ErrorRates(tpr=0.5, fpr=0.31, half_width=0.1)])
def test_without_informative_rates_nothing_is_claimed(rates: ErrorRates | None) -> None:
    assert correct(0.3, rates) == Efficiency(value=0.3, low=0, high=1, corrected=False)


def test_rates_of_one_run_correct_and_claim_no_interval() -> None:
    rates = ErrorRates(tpr=0.9, fpr=0.1, half_width=None)
    one = correct(0.5, rates)
    assert [one.value, one.low, one.high] == pytest.approx([0.5, 0, 1])
    assert one.corrected
    well = pool([one, correct(0.3, rates)], rates)
    assert [well.value, well.low, well.high] == pytest.approx([0.375, 0, 1])
    assert well.corrected


def test_the_sites_of_a_well_are_averaged() -> None:
    seen = pool([corrected(0.4), corrected(0.6)], RATES)
    assert seen.value == pytest.approx(0.5)
    assert seen.corrected


def test_more_sites_do_not_shrink_the_interval_below_the_cards() -> None:
    seen = pool([corrected(0.5)] * 50, RATES)
    assert [seen.low, seen.high] == pytest.approx([0.45, 0.55])


def test_sites_that_disagree_widen_the_interval() -> None:
    seen = pool([corrected(0.2), corrected(0.8)], RATES)
    scatter = 1.64 * 0.3
    assert seen.high - seen.value == pytest.approx((0.05**2 + scatter**2) ** 0.5)


def test_one_raw_site_makes_the_well_raw() -> None:
    raw = Efficiency(value=0.2, low=0, high=1, corrected=False)
    seen = pool([corrected(0.4), raw], RATES)
    assert [seen.value, seen.low, seen.high] == pytest.approx([0.3, 0, 1])
    assert not seen.corrected
    assert not pool([corrected(0.4)], None).corrected


def test_a_well_without_sites_is_refused() -> None:
    with pytest.raises(ValueError, match="a well needs at least one site"):
        pool([], RATES)


@pytest.mark.parametrize(
    "change",
    [{"tpr": 1.1}, {"fpr": -0.1}, {"half_width": 2.0}, {"coverage": 0.0}, {"coverage": 1.0}],
)
def test_impossible_rates_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="impossible error rates"):
        ErrorRates(**({"tpr": 0.8, "fpr": 0.1, "half_width": 0.05} | change))


@pytest.mark.parametrize("bounds", [(0.6, 0.5, 0.7), (0.1, 0.8, 0.7), (-0.1, 0.5, 0.7), (0, 1, 2)])
def test_an_efficiency_outside_its_interval_is_refused(
    bounds: tuple[float, float, float],
) -> None:
    low, value, high = bounds
    with pytest.raises(ValueError, match="efficiency is not ordered within 0 to 1"):
        Efficiency(value=value, low=low, high=high, corrected=True)
