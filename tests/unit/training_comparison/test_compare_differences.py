"""Paired differences: figures from counts, intervals, and the sentence they allow."""

from dataclasses import replace
from math import nan

import numpy as np
import pytest
from numpy.typing import NDArray

from scopewatch.core.imaging.efficiency import ErrorRates
from scopewatch_training.comparison.conclusion import caveats, conclude
from scopewatch_training.comparison.differences import Difference, differences
from scopewatch_training.comparison.tallies import tally
from scopewatch_training.evaluation.assessment import ScoredField, assess
from scopewatch_training.network.metrics.bootstrap import Interval


def make_field(number: int, rng: np.random.Generator, noise: float = 0.3) -> ScoredField:
    """Return a field of 8 x 8 tiles whose scores, in steps of 1/256, follow the labels."""
    labels = (rng.random((8, 8)) < rng.uniform(0.1, 0.9)).astype(np.int8)
    labels[0, :2] = -1
    score = np.clip(labels * 0.4 + 0.3 + rng.normal(0, noise, (8, 8)), 0, 1)
    return ScoredField(
        id=f"field{number}",
        run=f"run{number % 3}",
        labels=labels,
        probability=(np.round(score * 256) / 256).astype(np.float32),
        threshold=0.5,
        rates=ErrorRates(tpr=0.9, fpr=0.1, half_width=0.1, coverage=0.9),
    )


def make_fields(seed: int, count: int = 9) -> list[ScoredField]:
    rng = np.random.default_rng(seed)
    return [make_field(number, rng) for number in range(count)]


def made_noisier(field: ScoredField, rng: np.random.Generator, noise: float) -> ScoredField:
    scores: NDArray[np.float32] = np.clip(
        field.probability + rng.normal(0, noise, field.probability.shape), 0, 1
    ).astype(np.float32)
    return replace(field, probability=scores)


def test_figures_from_counts_are_those_of_the_assessment() -> None:
    fields = make_fields(1)
    drawn = [0, 0, 2, 5, 5, 5, 8]
    weights = np.bincount(drawn, minlength=len(fields)).astype(float)

    found = tally(fields).figures(weights)

    wanted = assess([fields[each] for each in drawn], np.random.default_rng(0), repeats=0).pooled
    assert found["roc_auc"] == pytest.approx(wanted.tile.roc_auc)
    assert found["f1"] == pytest.approx(wanted.tile.f1)
    assert found["mae"] == pytest.approx(wanted.image.mae)
    assert found["bias"] == pytest.approx(wanted.image.bias)
    assert found["abs_bias"] == pytest.approx(abs(wanted.image.bias))
    assert found["r"] == pytest.approx(wanted.image.r)
    assert found["raw_mae"] == pytest.approx(wanted.image_raw.mae)


def mae_of(first: list[ScoredField], second: list[ScoredField], *, runs: int = 1) -> Difference:
    found = differences(
        tally(first),
        tally(second),
        wells=[f"run{number % runs}/{each.id}" for number, each in enumerate(first)],
        runs=[f"run{number % runs}" for number in range(len(first))],
        rng=np.random.default_rng(3),
        repeats=400,
    )
    return next(each for each in found if each.figure == "mae")


def shifted(fields: list[ScoredField], bias: NDArray[np.float64]) -> list[ScoredField]:
    """Return fields whose corrected efficiency is the truth and a bias, in fractions."""
    return [
        replace(
            field,
            labels=(np.arange(1000).reshape(40, 25) < 500).astype(np.int8),
            probability=(np.arange(1000).reshape(40, 25) < 500 + 1000 * each).astype(np.float32),
            rates=None,
        )
        for field, each in zip(fields, bias, strict=True)
    ]


def test_a_bundle_that_is_nearer_in_every_well_is_better() -> None:
    fields = make_fields(2, count=8)
    first = shifted(fields, np.full(8, 0.1))
    second = shifted(fields, np.linspace(0.02, 0.04, 8))

    found = mae_of(first, second)

    assert found.better == 2
    assert found.over_wells.value == pytest.approx(-7.0, abs=0.1)
    assert conclude(found, 8, ["run8"], same=False).startswith(
        "B's efficiencies are nearer to the fluorescence than A's on 8 wells of run8: their mean"
        " error is smaller by 7.0 points (95 % interval 6."
    )
    assert mae_of(second, first).better == 1


def test_level_bundles_are_seldom_called_different_with_few_wells() -> None:
    rng = np.random.default_rng(11)
    called = 0
    for _ in range(120):
        fields = make_fields(5, count=8)
        first = shifted(fields, rng.normal(0, 0.05, 8))
        second = shifted(fields, rng.normal(0, 0.05, 8))
        called += mae_of(first, second).better != 0

    # 5 % are promised; 12 of 120 would be beyond chance (binomial, p < 0.02).
    assert called <= 12


def test_wells_that_favour_one_bundle_in_one_run_alone_show_no_difference() -> None:
    fields = make_fields(7, count=12)
    run = np.arange(12) % 2
    first = shifted(fields, np.where(run, 0.10, 0.02))
    second = shifted(fields, np.where(run, 0.02, 0.03))

    found = mae_of(first, second, runs=2)

    assert found.over_runs is not None
    assert found.widest.low <= found.over_wells.low
    assert found.better == 0


@pytest.mark.parametrize(
    ("low", "high", "wells", "words"),
    [
        (-2.0, -0.5, 8, "B's efficiencies are nearer to the fluorescence than A's"),
        (0.5, 2.0, 8, "A's efficiencies are nearer to the fluorescence than B's"),
        (-0.5, 2.0, 8, "No difference is shown on 8 wells of r1, r2"),
        (0.0, 2.0, 8, "No difference is shown"),
        (nan, nan, 8, "Nothing can be concluded on 8 wells of r1, r2: the difference has no"),
        (-2.0, -0.5, 5, "Nothing can be concluded on 5 wells of r1, r2: an interval takes 6 wells"),
        (-2.0, -0.5, 1, "Nothing can be concluded on 1 well of"),
    ],
)
def test_the_conclusion_says_no_more_than_the_interval(
    low: float, high: float, wells: int, words: str
) -> None:
    interval = Interval(value=(low + high) / 2, low=low, high=high)
    mae = Difference(figure="mae", first=3.0, second=2.0, over_wells=interval, over_runs=None)

    assert conclude(mae, wells, ["r1", "r2"], same=False).startswith(words)


def test_a_difference_in_bias_is_never_called_better_by_its_sign() -> None:
    interval = Interval(value=2.0, low=1.0, high=3.0)

    found = Difference(figure="bias", first=-2.0, second=0.0, over_wells=interval, over_runs=None)

    assert found.better == 0


def test_one_run_and_simulated_frames_are_reported() -> None:
    interval = Interval(value=-1.0, low=-2.0, high=0.5)
    mae = Difference(figure="mae", first=3.0, second=2.0, over_wells=interval, over_runs=None)

    lines = caveats(["run8"], mae, guess_mae=20.0, simulated=True, other_labels=0)

    assert lines[0].startswith("One run was compared (run8)")
    assert lines[-1].startswith("Simulated frames")
    others = caveats(["a", "b"], mae, guess_mae=1.0, simulated=False, other_labels=3)
    assert others[0].startswith("2 runs are few")
    assert others[-2].startswith("Neither is nearer than the mean of these fields")
