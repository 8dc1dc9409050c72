import numpy as np
import pytest

from scopewatch.core.errors import ConfigError
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.splits import (
    Fold,
    hold_out,
    inner_folds,
    leave_one_run_out,
    random_tiles,
)


def pair(run: str, well: str = "A1") -> Pair:
    return Pair(
        id=f"{run}{well}", run=run, plate="P1", well=well, site=0, time_point=0, day=None,
        phase="p", fluorescence="f",
    )  # fmt: skip


def test_each_run_is_held_out_once_and_never_trained_on() -> None:
    folds = leave_one_run_out(["b", "a", "c", "a"])
    assert [fold.test for fold in folds] == [("b",), ("a",), ("c",)]
    assert all(not set(fold.train) & set(fold.test) for fold in folds)
    assert all(len(fold.train) == 2 for fold in folds)


def test_one_run_alone_cannot_be_held_out() -> None:
    with pytest.raises(ConfigError, match="too few runs to hold one out"):
        leave_one_run_out(["a", "a"])


def test_named_runs_are_held_out() -> None:
    assert hold_out(["a", "b", "c"], ["c", "a"]) == Fold(train=("b",), test=("a", "c"))


@pytest.mark.parametrize("held", [["x"], ["a", "b"], []])
def test_holding_out_the_unknown_all_or_nothing_is_refused(held: list[str]) -> None:
    with pytest.raises(ConfigError, match="runs cannot be held out"):
        hold_out(["a", "b"], held)


def test_inner_folds_keep_runs_whole() -> None:
    pairs = [pair(run, well) for run in "abcd" for well in ("A1", "A2")]
    folds = inner_folds(pairs, 3)
    assert len(folds) == 3
    for train, test in folds:
        assert not {pairs[each].run for each in train} & {pairs[each].run for each in test}
    assert sorted(each for _, test in folds for each in test) == list(range(8))


def test_inner_folds_of_one_run_keep_wells_whole() -> None:
    pairs = [pair("a", well) for well in ("A1", "A1", "A2")]
    for train, test in inner_folds(pairs, 3):
        assert not {pairs[each].well for each in train} & {pairs[each].well for each in test}


def test_one_well_cannot_be_split() -> None:
    with pytest.raises(ConfigError, match="training data cannot be split"):
        inner_folds([pair("a"), pair("a")])


def test_a_fold_with_a_run_on_both_sides_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="none on both"):
        Fold(train=("a", "b"), test=("b",))


def test_the_leaky_split_draws_its_share_of_tiles() -> None:
    drawn = random_tiles((100, 100), np.random.default_rng(0), 0.3)
    assert drawn.mean() == pytest.approx(0.3, abs=0.02)
