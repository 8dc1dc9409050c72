"""`scopewatch-train` from a data set to a bundle and its figures, as a user runs it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scopewatch.inference.bundle import load_bundle
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_training.bundle.bundle_writer import rewrite_card
from scopewatch_training.bundle.known_frames import read_known_frames
from scopewatch_training.dataset.settings import LabelSettings
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.network_spec import NetworkSpec
from tests.unit.inference.bundles import make_view
from tests.unit.training_bundle.hashed_data import write_hashed

pytestmark = [pytest.mark.training, pytest.mark.timeout(300)]

SETTINGS = FitSettings(
    network=NetworkSpec(tile_px=16, width=16, depth=0),
    labels=LabelSettings(tile_px=16, area_cutoff=0.5),
    steps=40,
    batch=4,
    crop_px=64,
    checks=2,
    inner_folds=2,
)


def train(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run one command in its own process: TensorFlow keeps global state."""
    return subprocess.run(
        [sys.executable, "-m", "scopewatch_training", *(str(each) for each in arguments)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a data set of three runs, and settings for a network that is small."""
    folder = tmp_path_factory.mktemp("train")
    write_hashed(folder / "data", runs={"run1": "a", "run2": "b", "run3": "c"})
    (folder / "settings.json").write_text(json.dumps(SETTINGS.to_json()))
    return folder


@pytest.fixture(scope="module")
def bundle(workplace: Path) -> Path:
    """A bundle that was fitted with run3 held out."""
    out = workplace / "bundle"
    done = train(
        *("fit", workplace / "data", "--out", out, "--hold-out", "run3", "--threads", 1),
        *("--settings", workplace / "settings.json", "--description", "striped squares"),
    )
    assert done.returncode == 0, done.stderr
    assert f"bundle written to {out}" in done.stdout.replace("\n", "")
    return out


def test_fit_writes_a_bundle_that_the_daemon_takes(bundle: Path) -> None:
    loaded = load_bundle(bundle)
    card = loaded.card

    assert (card.trained_on, card.held_out) == (("run1", "run2"), ("run3",))
    assert (card.tile_px, card.context, card.um_per_px) == (16, "full", 1.0)
    assert card.simulated
    assert card.metrics["roc_auc"] > 0.9
    assert card.errors is not None
    assert card.errors.run_residuals.keys() == {"run1", "run2"}
    assert card.quality.min_contrast is not None
    assert card.quality.distance is not None
    assert not bundle.with_name("bundle.work").exists()


def test_a_bundle_knows_its_training_frames_and_evaluate_finds_copies_of_them(
    bundle: Path, tmp_path: Path
) -> None:
    judged = write_hashed(tmp_path / "judged", runs={"march": "a"}).folder
    figures = tmp_path / "figures.json"

    done = train("evaluate", bundle, judged, "--threads", 1, "--json", figures, "--no-baselines")

    known = read_known_frames(load_bundle(bundle))
    assert known is not None
    assert {each.run for each in known.frames} == {"run1", "run2"}
    assert done.returncode == 0, done.stderr
    assert "pairs have the same pixels as training frames of the bundle: run march" in done.stdout
    assert json.loads(figures.read_text())["flattered_runs"] == ["march"]


def test_evaluate_judges_the_run_that_was_held_out(workplace: Path, bundle: Path) -> None:
    figures = workplace / "figures.json"

    done = train("evaluate", bundle, workplace / "data", "--json", figures, "--threads", 1)

    assert done.returncode == 0, done.stderr
    values = json.loads(figures.read_text())
    assert values["runs"] == ["run3"]
    assert values["seen_in_training"] == []
    assert values["tile"]["roc_auc"] > 0.9
    assert {"pr_auc", "f1", "precision", "recall", "mcc", "prevalence"} <= values["tile"].keys()
    assert {"r", "bias", "mae"} <= values["image"].keys()
    assert {"local_std", "random_forest"} <= values["baselines"].keys()
    assert values["per_run"].keys() == {"run3"}


def test_quantise_gives_the_same_network_again(workplace: Path, bundle: Path) -> None:
    again = workplace / "again"

    done = train("quantise", bundle, workplace / "data", "--out", again, "--threads", 1)

    assert done.returncode == 0, done.stderr
    view = make_view(128, 128)
    one, two = (
        TFLiteScorer(load_bundle(each), threads=1, memory_budget_mb=64).score(view)
        for each in (bundle, again)
    )
    np.testing.assert_array_equal(one, two)
    assert (again / "report" / "float.npz").is_file()


def test_evaluating_another_scale_is_refused(workplace: Path, bundle: Path) -> None:
    other = workplace / "other-scale"
    other.mkdir()
    for path in bundle.rglob("*"):
        if path.is_file():
            target = other / path.relative_to(bundle)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes())
    card = load_bundle(bundle).card
    rewrite_card(other, card.model_copy(update={"um_per_px": 0.5}))

    done = train("evaluate", other, workplace / "data")

    assert done.returncode == 2
    assert done.stderr.startswith("data set has another scale than the bundle: ")
    assert "(expected 0.5 um/px, got 1.0 um/px); prepare it with --um-per-px 0.5" in done.stderr


def test_a_killed_fit_continues_and_prints_from_where(
    workplace: Path, eventually: Callable[..., None]
) -> None:
    settings = workplace / "long.json"
    settings.write_text(json.dumps(replace(SETTINGS, steps=120, checks=2).to_json()))
    out = workplace / "killed"
    command = ["fit", workplace / "data", "--out", out, "--threads", 1, "--settings", settings]
    checkpoint = workplace / "killed.work" / "inner1.npz"
    process = subprocess.Popen(
        [sys.executable, "-m", "scopewatch_training", *(str(each) for each in command)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(checkpoint.exists, within_s=120)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not out.exists()
    with np.load(checkpoint) as stored:
        step = json.loads(str(stored["facts"]))["facts"]["step"]

    done = train(*command)

    assert done.returncode == 0, done.stderr
    assert f"inner fold 1 of 2: going on from step {step}" in done.stdout
    assert load_bundle(out).card.trained_on == ("run1", "run2", "run3")
