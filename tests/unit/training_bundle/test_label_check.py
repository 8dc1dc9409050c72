"""Settings behind the labels of a data set that differ from the bundle's: each is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from scopewatch.core.errors import ConfigError, ModelError
from scopewatch.core.imaging.binarise import Thresholds
from scopewatch.core.imaging.model_card.labels import LabelRecipe
from scopewatch.inference.bundle import Bundle, load_bundle
from scopewatch_training.bundle.bundle_writer import rewrite_card
from scopewatch_training.bundle.card_writer import label_recipe
from scopewatch_training.bundle.label_rule import read_label_rule
from scopewatch_training.comparison.common_ground import refuse_other_labels
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import BinariseSettings, LabelSettings, PrepareSettings
from scopewatch_training.evaluation.label_check import LabelCheck, check_labels
from tests.unit.training.tiny_data import write_dataset
from tests.unit.training_comparison.two_bundles import write_bundle

SETTINGS = PrepareSettings()


def recipe_of(**changes: Any) -> LabelRecipe:
    thresholds = Thresholds(settings=BinariseSettings(), pooled=None)
    return label_recipe(thresholds, LabelSettings(), SETTINGS).model_copy(update=changes)


def write_stating(folder: Path, *, marker: str = "GFP", **recipe: Any) -> Bundle:
    """Write a bundle that states all settings by which its data set was prepared."""
    write_bundle(folder)
    record = json.loads((folder / "report" / "fit.json").read_text())
    record["prepared"] = SETTINGS.to_json()
    (folder / "report" / "fit.json").write_text(json.dumps(record))
    card = load_bundle(folder).card
    labels = card.labels.model_copy(update={"recipe": recipe_of(**recipe), "marker": marker})
    rewrite_card(folder, card.model_copy(update={"labels": labels}))
    return load_bundle(folder)


def write_prepared(folder: Path, **changes: Any) -> Dataset:
    """Write a data set whose tiles are labelled as the bundle's; `changes` replace settings."""
    write_dataset(folder, runs=2, wells=2)
    path = folder / "dataset.json"
    values = json.loads(path.read_text())
    values["labels"] |= {"tile_px": 16, "area_cutoff": 0.5}
    for name, value in changes.items():
        if name in ("marker", "um_per_px"):
            values[name] = value
        elif name in values["labels"]:
            values["labels"][name] = value
        elif name in values["binarise"]:
            values["binarise"][name] = value
        elif name == "note":
            for pair in values["pairs"]:
                pair["note"] = value
        else:
            assert name in values["settings"]
            values["settings"][name] = value
    path.write_text(json.dumps(values))
    return open_dataset(folder)


def check(bundle: Bundle, data: Dataset) -> LabelCheck:
    return check_labels(bundle, read_label_rule(bundle), data, data.runs())


def test_a_data_set_that_was_prepared_as_the_bundles_has_no_line(tmp_path: Path) -> None:
    found = check(write_stating(tmp_path / "b"), write_prepared(tmp_path / "d"))

    assert found.lines == []
    assert found.to_json()["label_settings"] == {"differ": [], "overruled": [], "unknown": []}


@pytest.mark.parametrize(
    ("changes", "expected", "got", "do"),
    [
        ({"glow_px": 10}, "glow_px 0", "glow_px 10", "again with --glow-px 0"),
        ({"smooth_px": 2.0}, "smooth_px 1.0", "smooth_px 2.0", "again with --smooth-px 1.0"),
        ({"register": False}, "register yes", "register no", "again with --register"),
        (
            {"max_shift_px": 40.0},
            "max_shift_px 20.0",
            "max_shift_px 40.0",
            "again with --max-shift-px 20.0",
        ),
        (
            {"min_confidence": 0.2},
            "min_confidence 0.5",
            "min_confidence 0.2",
            "again as the bundle's was",
        ),
        ({"marker": "c TnT"}, "marker GFP", "marker c TnT", "again with --marker GFP"),
        (
            {"um_per_px": None},
            "um_per_px 1.0",
            "um_per_px not stated",
            "again with --um-per-px 1.0",
        ),
        (
            {"glow_px": 10, "glow_share": 0.4},
            "glow_px 0, glow_share 0.3",
            "glow_px 10, glow_share 0.4",
            "again with --glow-px 0 --glow-share 0.3",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_each_setting_that_makes_another_truth_is_named_with_both_values(
    changes: dict[str, Any], expected: str, got: str, do: str, tmp_path: Path
) -> None:
    found = check(write_stating(tmp_path / "b"), write_prepared(tmp_path / "d", **changes))

    (line,) = found.lines
    assert line == (
        f"labels of the data set were made otherwise than the bundle's: {tmp_path / 'd'}"
        f" (expected {expected}, got {got}); the figures compare with another truth:"
        f" prepare it {do}"
    )
    assert {each["setting"] for each in found.to_json()["label_settings"]["differ"]} == set(changes)


@pytest.mark.parametrize(
    "changes",
    [{"glow_share": 0.5}, {"register": False, "max_shift_px": 40.0}],
    ids=["share of a glow that is not removed", "shift that is not looked for"],
)
def test_a_setting_that_changes_nothing_is_not_named(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    found = check(write_stating(tmp_path / "b"), write_prepared(tmp_path / "d", **changes))

    assert {each.setting for each in found.differ} <= {"register"}


@pytest.mark.parametrize(
    ("changes", "expected", "got"),
    [
        ({"tile_px": 32}, "tile_px 16", "tile_px 32"),
        ({"area_cutoff": 0.05}, "area_cutoff 0.5", "area_cutoff 0.05"),
        ({"ambiguous_band": 0.02}, "ambiguous_band 0.0", "ambiguous_band 0.02"),
        ({"max_unknown": 0.5}, "max_unknown 0.25", "max_unknown 0.5"),
        ({"method": "triangle"}, "binarise method otsu", "binarise method triangle"),
        ({"scope": "pooled"}, "binarise scope per-run", "binarise scope pooled"),
        ({"floor_sigmas": 3.0}, "binarise floor_sigmas 5.0", "binarise floor_sigmas 3.0"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_labels_that_the_bundles_rule_replaces_are_named(
    changes: dict[str, Any], expected: str, got: str, tmp_path: Path
) -> None:
    found = check(write_stating(tmp_path / "b"), write_prepared(tmp_path / "d", **changes))

    (line,) = found.lines
    assert line.startswith("tiles are labelled as the bundle's were, not as the data set was")
    assert f"(expected {expected}, got {got})" in line


def test_masks_have_neither_glow_nor_threshold(tmp_path: Path) -> None:
    data = write_prepared(
        tmp_path / "d", note="mask: 9.0% of its area", glow_px=10, method="triangle"
    )

    assert check(write_stating(tmp_path / "b"), data).lines == []


def test_what_a_bundle_of_an_earlier_version_does_not_state_is_named(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b")
    card = load_bundle(tmp_path / "b").card
    labels = card.labels.model_copy(update={"marker": "GFP", "recipe": None})
    rewrite_card(tmp_path / "b", card.model_copy(update={"labels": labels}))

    found = check(load_bundle(tmp_path / "b"), write_prepared(tmp_path / "d", glow_px=10))

    (line,) = found.lines
    assert "expected smooth_px, glow_px, glow_share, register, max_shift_px, min_confidence" in line
    assert "got a bundle of an earlier version); fit it again" in line


def test_a_damaged_record_is_refused(tmp_path: Path) -> None:
    bundle = write_stating(tmp_path / "b")
    path = bundle.folder / "report" / "fit.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"prepared": 3}))

    with pytest.raises(ModelError, match=r"record of its data set is damaged: .*got int"):
        check(bundle, write_prepared(tmp_path / "d"))


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({"glow_px": 10}, r"expected glow_px 0, glow_share none, got glow_px 10, glow_share 0\.3"),
        ({"smooth_px": 3.0}, r"expected smooth_px 1\.0, got smooth_px 3\.0"),
    ],
)
def test_bundles_whose_signals_were_made_otherwise_are_not_compared(
    recipe: dict[str, Any], words: str, tmp_path: Path
) -> None:
    bundles = write_stating(tmp_path / "a"), write_stating(tmp_path / "b", **recipe)

    with pytest.raises(ConfigError, match=f"no truth is common to both: .*{words}"):
        refuse_other_labels(bundles, (read_label_rule(bundles[0]), read_label_rule(bundles[1])))
