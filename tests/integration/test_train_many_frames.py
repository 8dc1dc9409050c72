"""`fit` and `evaluate` of more planes than a process may have files open."""

import json
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.test_train_fit import SETTINGS
from tests.unit.training.tiny_data import write_dataset

pytestmark = [pytest.mark.training, pytest.mark.timeout(300)]

OPEN_FILES = 256


def few_files() -> None:
    """Let the process about to start have at most 256 files open."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))


def train(*arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "scopewatch_training", *(str(each) for each in arguments)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        preexec_fn=few_files,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_set_of_more_planes_than_open_files_is_fitted_and_evaluated(tmp_path: Path) -> None:
    data, out = write_dataset(tmp_path / "data", runs=3, wells=60), tmp_path / "bundle"
    settings = replace(SETTINGS, steps=6, checks=1, batch=2, crop_px=32)
    (tmp_path / "settings.json").write_text(json.dumps(settings.to_json()))
    assert len(list(data.rglob("*.npy"))) > OPEN_FILES

    train(
        *("fit", data, "--out", out, "--hold-out", "run3", "--threads", 1),
        *("--settings", tmp_path / "settings.json"),
    )
    train("evaluate", out, data, "--json", tmp_path / "figures.json", "--threads", 1)

    figures = json.loads((tmp_path / "figures.json").read_text())
    assert len(figures["fields"]) == 60
    assert {"local_std", "random_forest"} <= figures["baselines"].keys()
