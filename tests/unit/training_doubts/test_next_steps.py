"""Each command says which one comes next, with the names and runs of the case."""

from dataclasses import replace
from pathlib import Path

import pytest

from scopewatch_training.cli.next_steps import (
    after_evaluate,
    after_fit,
    after_prepare,
    after_report,
    after_review,
)
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.dataset.prepared import Dataset
from tests.unit.training.tiny_data import write_dataset

pytestmark = pytest.mark.training


def dataset(folder: Path, runs: int, *doubts: Doubt) -> Dataset:
    made = open_dataset(write_dataset(folder / "my data", runs=runs, wells=1))
    return replace(made, folder=Path("my data"), doubts=doubts)


def doubt(kind: DoubtKind, weight: Weight, run: str = "run1") -> Doubt:
    return Doubt(
        kind=kind, weight=weight, run=run, pair=None, measured="1", expected="2", do="look"
    )


def test_of_three_runs_the_last_is_held_out(tmp_path: Path) -> None:
    assert after_prepare(dataset(tmp_path, 3)) == (
        "next: scopewatch-train fit 'my data' --out bundle --hold-out run3"
    )


def test_of_two_runs_none_is_held_out(tmp_path: Path) -> None:
    assert after_prepare(dataset(tmp_path, 2)) == (
        "next: scopewatch-train fit 'my data' --out bundle"
    )


def test_a_run_without_a_positive_tile_is_left_out_and_never_held_out(tmp_path: Path) -> None:
    barren = doubt(DoubtKind.NO_POSITIVE, Weight.LOOK, "run4")
    assert after_prepare(dataset(tmp_path, 4, barren)) == (
        "next: scopewatch-train review 'my data', then: scopewatch-train fit 'my data' --out bundle"
        " --exclude run4 --hold-out run3"
    )


def test_after_a_review_the_next_step_is_to_train(tmp_path: Path) -> None:
    doubtful = dataset(tmp_path, 3, doubt(DoubtKind.OFFSET, Weight.LOOK))
    assert "review" in (after_prepare(doubtful) or "")
    assert after_review(doubtful) == (
        "next: scopewatch-train fit 'my data' --out bundle --hold-out run3"
    )


def test_where_no_run_has_a_positive_tile_nothing_is_trained(tmp_path: Path) -> None:
    barren = [doubt(DoubtKind.NO_POSITIVE, Weight.LOOK, run) for run in ("run1", "run2")]
    assert after_prepare(dataset(tmp_path, 2, *barren)) == (
        "next: no run has a positive tile, so that there is nothing to learn: look at the"
        " fluorescence of run1, run2, or prepare with another --binarise"
    )


def test_a_data_set_that_is_not_to_be_trained_on_has_no_next_step(tmp_path: Path) -> None:
    assert after_prepare(dataset(tmp_path, 3, doubt(DoubtKind.SWAPPED, Weight.STOP))) is None


def test_a_bundle_is_judged_on_what_was_held_out_or_on_another_data_set() -> None:
    bundle, data = Path("models/a b"), Path("my data")
    taken = "the daemon takes it as `model: models/a b` in config.yaml"
    assert after_fit(bundle, data, runs=("r1", "r2"), held_out=True) == (
        f"next: scopewatch-train evaluate 'models/a b' 'my data'; {taken}"
    )
    new = (
        "a run that it never saw, prepared as NEW, is judged by"
        " scopewatch-train evaluate 'models/a b' NEW"
    )
    assert after_fit(bundle, data, runs=("r1", "r2"), held_out=False, exclude=["auto 1"]) == (
        "next: scopewatch-train cross-validate 'my data' --exclude 'auto 1' holds each run out once"
        f" (give it the settings of this fit, too); {new}; {taken}"
    )
    assert after_fit(bundle, data, runs=("r1",), held_out=False) == f"next: {new}; {taken}"


def test_what_was_judged_is_shown_on_a_page_and_taken_by_the_daemon() -> None:
    bundle, data = Path("bundle"), Path("my data")
    taken = "the daemon takes it as `model: bundle` in config.yaml"
    assert after_evaluate(bundle, data, ()) == (
        f"next: scopewatch-train report bundle 'my data' writes a page with pictures; {taken}"
    )
    assert " report bundle 'my data' --run r3 writes" in after_evaluate(bundle, data, ("r3",))
    assert after_report(bundle) == f"next: open it; {taken}"
