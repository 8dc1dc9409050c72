"""`scopewatch-train cross-validate`: its figures, cut off, and with several folds at once."""

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scopewatch.inference.bundle import load_bundle
from scopewatch_training.bundle.fit_record import FIT_FILE, read_fit
from tests.integration.training.test_train_fit import SETTINGS
from tests.unit.training.tiny_data import write_dataset

pytestmark = [pytest.mark.training, pytest.mark.timeout(600)]

RUNS = ("run1", "run2")
LEAN = ("--no-isolated", "--no-leakage")
TILE = {"roc_auc", "pr_auc", "f1", "precision", "recall", "mcc", "prevalence"}


def command(folder: Path, name: str, *options: object) -> list[str]:
    """Return the call that writes folder/name.json, with its folds in folder/name."""
    words = [
        *("cross-validate", folder / "data", "--settings", folder / "settings.json"),
        *("--json", folder / f"{name}.json", "--work", folder / name, *options),
    ]
    return [sys.executable, "-m", "scopewatch_training", *(str(word) for word in words)]


def finish(words: list[str]) -> str:
    """Run a call to its end and return what it printed."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=550, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def without_extras(figures: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of a call that trains no isolated-tile and no leaky network."""
    figures = json.loads(json.dumps(figures))
    del figures["leakage_gap"]
    for each in (figures, *figures["per_run"].values()):
        del each["baselines"]["isolated_tiles"]
    return figures


def read(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_text())
    return values


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a data set of two runs, and settings for a network that is small."""
    folder = tmp_path_factory.mktemp("cross")
    write_dataset(folder / "data", runs=2)
    settings = replace(SETTINGS, steps=30, checks=1)
    (folder / "settings.json").write_text(json.dumps(settings.to_json()))
    return folder


@pytest.fixture(scope="module")
def figures(workplace: Path) -> dict[str, Any]:
    """The figures of an undisturbed call, fold after fold."""
    finish(command(workplace, "plain", "--threads", 1))
    return read(workplace / "plain.json")


def test_all_promised_figures_are_there(figures: dict[str, Any]) -> None:
    assert figures["per_run"].keys() == set(RUNS)
    for each in (figures, *figures["per_run"].values(), *figures["baselines"].values()):
        assert each["tile"].keys() >= TILE
        assert each["image"].keys() >= {"r", "bias", "mae"}
    assert figures["baselines"].keys() == {"local_std", "random_forest", "isolated_tiles"}
    for each in figures["per_run"].values():
        assert each["baselines"].keys() == figures["baselines"].keys()
    assert figures["leakage_gap"].keys() >= {"random_tiles", "roc_auc", "pr_auc", "f1"}
    assert figures["tile"]["roc_auc"] > 0.95
    assert figures["simulated"] is True


def test_each_run_is_judged_by_the_fold_that_never_saw_it(
    workplace: Path, figures: dict[str, Any]
) -> None:
    assert [fold["held_out"] for fold in figures["folds"]] == [["run1"], ["run2"]]
    assert sorted(field["run"] for field in figures["fields"]) == ["run1"] * 4 + ["run2"] * 4
    for fold, held, trained_on in zip(figures["folds"], RUNS, RUNS[::-1], strict=True):
        bundle = load_bundle(workplace / "plain" / f"without-{held}")
        assert bundle.card.model_id == fold["model_id"]
        assert bundle.card.trained_on == (trained_on,)
        assert read_fit(bundle.folder)["held_out"] == [held]


@pytest.mark.slow
def test_the_pixels_of_a_held_out_run_do_not_change_its_fold(
    workplace: Path, figures: dict[str, Any], tmp_path: Path
) -> None:
    assert figures
    data = write_dataset(tmp_path / "data", runs=2)
    (tmp_path / "settings.json").write_text((workplace / "settings.json").read_text())
    # The same data set by hash and histograms, but every pixel of run2 differs.
    for path in data.glob("*s/run2_*.npy"):
        np.save(path, np.ascontiguousarray(np.load(path)[::-1, ::-1].T))

    finish(command(tmp_path, "other", "--threads", 1, "--no-leakage"))

    def models(held: str) -> list[bytes]:
        name = f"without-{held}/model.tflite"
        return [
            (folder / name).read_bytes() for folder in (workplace / "plain", tmp_path / "other")
        ]

    def isolated(folder: Path) -> list[dict[str, Any]]:
        found = []
        for path in sorted(folder.glob("isolated-tiles-*.npz")):
            with np.load(path) as stored:
                found.append({name: stored[name] for name in stored.files if "average" in name})
        return found

    unseen, seen = models("run2"), models("run1")
    assert unseen[0] == unseen[1]
    assert seen[0] != seen[1], "this fold learns from run2"
    same = [
        all(np.array_equal(one[name], two[name]) for name in one)
        for one, two in zip(
            isolated(workplace / "plain"), isolated(tmp_path / "other"), strict=True
        )
    ]
    assert sorted(same) == [False, True], "one of the isolated-tile networks is the same too"


@pytest.mark.slow
def test_two_folds_at_a_time_give_what_one_after_the_other_does(
    workplace: Path, figures: dict[str, Any]
) -> None:
    printed = finish(command(workplace, "both", "--threads", 2, "--jobs", 2, *LEAN))

    both = read(workplace / "both.json")
    assert both == without_extras(figures)
    for held in RUNS:
        assert f"{held} held out: final network, all training runs: step " in printed


@pytest.mark.slow
def test_a_killed_call_continues_and_prints_from_where(
    workplace: Path, figures: dict[str, Any], eventually: Callable[..., None]
) -> None:
    words = command(workplace, "killed", "--threads", 1)
    done_before = workplace / "killed" / "without-run1"
    # As after a call that was killed between its two folds.
    shutil.copytree(workplace / "plain", workplace / "killed")
    shutil.rmtree(workplace / "killed" / "without-run2")
    checkpoint = workplace / "killed" / "without-run2.work" / "inner1.npz"
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(checkpoint.exists, within_s=300)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (workplace / "killed.json").exists()

    printed = finish(words)

    plain = printed.replace("\n", "")
    assert f"fold 1 of 2, run1 held out: done before, taken from {done_before}" in plain
    assert re.search(r"isolated tiles: trained already, 30 steps\b", printed)
    assert re.search(r"inner fold 1 of 2: trained already, 30 steps\b", printed)
    assert read(workplace / "killed.json") == figures


@pytest.mark.slow
@pytest.mark.parametrize("way", [(), ("--jobs", 2), ("--dask", "local:2")], ids=str)
def test_after_a_fold_without_a_bundle_the_others_are_worked_on_and_kept(
    way: tuple[object, ...], workplace: Path, figures: dict[str, Any], tmp_path: Path
) -> None:
    assert figures
    for name in ("data", "settings.json"):
        (tmp_path / name).symlink_to(workplace / name)
    shutil.copytree(workplace / "plain", tmp_path / "cut")
    (tmp_path / "cut" / "without-run1" / "report" / FIT_FILE).write_text("{")

    done = subprocess.run(
        command(tmp_path, "cut", "--threads", 2, *LEAN, *way),
        capture_output=True, text=True, timeout=550, check=False,
    )  # fmt: skip

    assert done.returncode == 1, done.stderr
    line = done.stderr.splitlines()[-1]
    assert line.startswith("1 of 2 folds have no bundle, and figures without the runs")
    assert "got none without run1: bundle does not say how its labels were made" in line
    assert f"evaluate {tmp_path / 'cut' / 'without-run2'} " in line
    kept = tmp_path / "cut" / "without-run2"
    assert f"fold 2 of 2, run2 held out: done before, taken from {kept}" in done.stdout or way
    assert not (tmp_path / "cut.json").exists()


@pytest.mark.slow
def test_folds_that_share_their_networks_train_one_each(
    workplace: Path, figures: dict[str, Any]
) -> None:
    finish(command(workplace, "shared", "--threads", 1, "--shared-networks", *LEAN))
    printed = finish(command(workplace, "sharing", "--threads", 2, "--jobs", 2,
                             "--shared-networks", *LEAN))  # fmt: skip

    shared = read(workplace / "shared.json")
    assert read(workplace / "sharing.json") == shared
    assert shared["calibrated_by"] == "networks of the other folds"
    assert figures["calibrated_by"] == "inner folds"
    assert {path.name for path in (workplace / "shared").glob("shared-run?.npz")} == {
        f"shared-{run}.npz" for run in RUNS
    }
    for held in RUNS:
        assert printed.count(f"network without {held}: step 28 of 30") == 1
    assert shared["tile"]["roc_auc"] > 0.95
    for fold, held in zip(shared["folds"], RUNS, strict=True):
        record = read_fit(workplace / "shared" / f"without-{held}")
        assert held not in record["runs"]
        assert fold["int8_against_float"]["inner_folds"] == []
