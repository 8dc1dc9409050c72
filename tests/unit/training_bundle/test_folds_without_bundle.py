"""A fold that comes to no bundle does not end a cross-validation before the others are done."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest

from scopewatch.core.errors import ModelError
from scopewatch_training.bundle.fit import FitRequest
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import LabelSettings
from scopewatch_training.dataset.splits import leave_one_run_out
from scopewatch_training.evaluation import single_fold
from scopewatch_training.evaluation.folds import require_bundles, run_folds
from scopewatch_training.evaluation.line_stages import LineStages
from scopewatch_training.evaluation.single_fold import (
    CrossValidation,
    FoldOutcome,
    FoldWithoutBundle,
)
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.network_spec import NetworkSpec
from tests.unit.training.tiny_data import write_dataset

pytestmark = pytest.mark.training

FOLDS = leave_one_run_out(("r1", "r 2", "r3"))
WORK = Path("data.cv")
FAILED = FoldWithoutBundle(reason="int8 network differs; call it again")


def outcome(run: str) -> FoldOutcome:
    return FoldOutcome(bundle=WORK / f"without-{run}", fields=[], others={}, controls={})


def complain(*results: FoldOutcome | FoldWithoutBundle) -> str:
    with pytest.raises(ModelError) as caught:
        require_bundles(results, FOLDS, WORK, Path("data"))
    return str(caught.value)


def test_folds_that_all_have_a_bundle_are_taken_in_order() -> None:
    results = [outcome("r1"), outcome("r 2"), outcome("r3")]
    assert require_bundles(results, FOLDS, WORK, Path("data")) == results


def test_one_line_names_the_folds_without_a_bundle_and_what_is_kept_of_the_others() -> None:
    assert complain(FAILED, outcome("r 2"), FAILED) == (
        "2 of 3 folds have no bundle, and figures without the runs that they hold out would"
        " flatter: data.cv (expected a bundle of each fold, got none without r1:"
        " int8 network differs; call it again; without r3: int8 network differs; call it again);"
        " the bundles without r 2 are kept there, and each can be judged alone, as by"
        " scopewatch-train evaluate 'data.cv/without-r 2' data --run 'r 2';"
        " other settings or labels fit all folds again"
    )


def test_where_no_fold_has_a_bundle_nothing_is_kept() -> None:
    line = complain(FAILED, FAILED, FAILED)
    assert line.startswith("3 of 3 folds have no bundle")
    assert line.endswith("call it again); other settings or labels fit all folds again")


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return open_dataset(write_dataset(tmp_path / "data", runs=3, wells=1))


def test_all_other_folds_are_worked_on_after_one_that_has_no_bundle(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def fail(_: Dataset, __: Path, request: FitRequest, **___: object) -> NoReturn:
        tried.append(request.held_out)
        raise ModelError(f"gate of {request.name}")

    monkeypatch.setattr(single_fold, "fit", fail)
    task = CrossValidation(
        settings=FitSettings(network=NetworkSpec(tile_px=16), labels=LabelSettings(tile_px=16)),
        runs=tuple(dataset.runs()),
        controls=(),
        work=tmp_path / "work",
        threads=1,
        isolated=False,
        leaky=False,
    )
    lines: list[str] = []
    folds = leave_one_run_out(task.runs)

    with pytest.raises(ModelError, match=r"3 of 3 folds have no bundle.* got none without run1: "):
        run_folds(
            dataset, folds, task, now=datetime(2026, 3, 1, tzinfo=UTC),
            stages=LineStages(lines.append, "fold"),
        )  # fmt: skip

    assert tried == [("run1",), ("run2",), ("run3",)]
    assert "fold 2 of 3, run2 held out: has no bundle, gate of without-run2" in lines
