"""`scopewatch-train tune`: a search that goes on where it was left."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from scopewatch_training.fit_settings import FitSettings
from tests.integration.test_train_fit import SETTINGS
from tests.unit.training.tiny_data import write_dataset

pytestmark = [pytest.mark.training, pytest.mark.timeout(300)]


def tune(folder: Path, trials: int) -> str:
    """Run the search up to `trials` trials and return what it printed."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "scopewatch_training", "tune", str(folder / "data")),
            *("--out", str(folder / "out"), "--settings", str(folder / "settings.json")),
            *("--trials", str(trials), "--threads", "1", "--hold-out", "run3"),
        ],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_search_goes_on_after_the_trials_it_has(tmp_path: Path) -> None:
    write_dataset(tmp_path / "data")
    short = replace(SETTINGS, steps=4, checks=1, batch=2, crop_px=32)
    (tmp_path / "settings.json").write_text(json.dumps(short.to_json()))

    first = tune(tmp_path, 1)
    second = tune(tmp_path, 2)

    assert "trial 0, fold 2 of 2" in first
    assert "going on after 1 of 2 trials" in second
    assert "trial 0," not in second
    best = FitSettings.from_json(json.loads((tmp_path / "out" / "settings.json").read_text()))
    assert (best.steps, best.labels) == (4, short.labels)
    assert (tmp_path / "out" / "history.png").stat().st_size > 1000
