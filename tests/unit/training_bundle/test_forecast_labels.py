"""A forecast learns from runs that are new to the bundle, and leaves its label recipe alone."""

import json
from pathlib import Path

import pytest

from scopewatch.core.errors import ConfigError
from scopewatch.inference.bundle import load_bundle
from scopewatch_training.bundle.bundle_writer import rewrite_card
from scopewatch_training.cli.console import ConsoleStages, open_console
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.forecasting.early_warning.command import (
    StudyRequest,
    default_rules,
    run_study,
)
from scopewatch_training.forecasting.forecast import forecast
from tests.unit.core.samples import make_cells
from tests.unit.training_bundle.hashed_data import write_hashed, write_knowing_bundle
from tests.unit.training_bundle.test_label_check import recipe_of
from tests.unit.training_comparison.two_bundles import write_bundle
from tests.unit.training_suggestion.written_timelapse import write_timelapse


def write_ends(folder: Path, data: Dataset) -> Path:
    """Write a first and a last frame of each well of a data set."""
    frames = (
        (
            (pair.run, pair.plate, pair.well),
            time_point,
            make_cells(128, 128, seed=10 * number + time_point),
        )
        for number, pair in enumerate(data.accepted)
        for time_point in (0, 20)
    )
    return write_timelapse(folder, frames)


def test_a_run_that_is_a_copy_of_a_training_run_is_refused_by_name(tmp_path: Path) -> None:
    training = write_hashed(tmp_path / "training", runs={"a": "a"})
    bundle = write_knowing_bundle(tmp_path / "bundle", training, ["a"])
    finals = write_hashed(tmp_path / "finals", runs={"new": "new", "march": "a"})

    with pytest.raises(
        ConfigError,
        match=r"learnt on training runs: .*got march \(as march/P1/A1/s0/t0020 is a/P1/A1",
    ):
        forecast(
            bundle,
            finals,
            tmp_path / "none.csv",
            threads=1,
            stages=ConsoleStages(open_console()),
        )


def test_a_warning_is_not_judged_on_copies_of_training_runs(tmp_path: Path) -> None:
    training = write_hashed(tmp_path / "training", runs={"a": "a"})
    bundle = write_knowing_bundle(tmp_path / "bundle", training, ["a"])
    finals = write_hashed(tmp_path / "finals", runs={"new": "new", "march": "a"})
    request = StudyRequest(
        bundle=bundle, timelapse=tmp_path / "none.csv", finals=finals.folder, rules=default_rules()
    )

    with pytest.raises(
        ConfigError,
        match=r"judged on training runs: .*got march \(as march/P1/A1/s0/t0020 is a/P1/A1",
    ):
        run_study(request, ConsoleStages(open_console()))


@pytest.mark.parametrize("known", [True, False], ids=["on the card", "of an earlier version"])
def test_the_card_keeps_the_settings_of_its_training(
    known: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    card = load_bundle(bundle).card
    recipe = recipe_of(glow_px=12) if known else None
    labels = card.labels.model_copy(update={"recipe": recipe})
    rewrite_card(bundle, card.model_copy(update={"labels": labels}))
    finals = write_hashed(tmp_path / "finals", runs={"x": "x", "y": "y"})
    values = json.loads((finals.folder / "dataset.json").read_text())
    values["settings"]["glow_px"] = 5
    (finals.folder / "dataset.json").write_text(json.dumps(values))
    data = open_dataset(finals.folder)

    rows = forecast(
        bundle,
        data,
        write_ends(tmp_path, data),
        threads=1,
        stages=ConsoleStages(open_console()),
    )

    assert rows
    written = load_bundle(bundle).card
    assert written.forecast == rows
    assert written.labels.recipe is not None
    assert written.labels.recipe.glow_px == (12 if known else 5)
    shown = " ".join(capsys.readouterr().out.split())
    assert ("expected glow_px 12, got glow_px 5" in shown) is known
    assert ("some settings behind the labels cannot be compared" in shown) is True
