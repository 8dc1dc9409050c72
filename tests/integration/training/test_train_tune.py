"""`scopewatch-train tune`: a search that goes on where it was left, alone or with others."""

import json
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from scopewatch_training.network.fit_settings import FitSettings
from tests.integration.training.test_train_fit import SETTINGS
from tests.unit.training.tiny_data import write_dataset

pytestmark = [pytest.mark.training, pytest.mark.timeout(300)]

SHORT = replace(SETTINGS, steps=4, checks=1, batch=2, crop_px=32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a data set of three runs, and settings for networks that are small."""
    write_dataset(tmp_path / "data")
    (tmp_path / "settings.json").write_text(json.dumps(SHORT.to_json()))
    return tmp_path


def start(folder: Path, trials: int, out: str = "out", *options: str) -> subprocess.Popen[str]:
    """Start a search up to `trials` trials."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "scopewatch_training", "tune", str(folder / "data")),
            *("--out", str(folder / out), "--settings", str(folder / "settings.json")),
            *("--trials", str(trials), "--threads", "1", "--hold-out", "run3", *options),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a search and return what it printed."""
    out, err = process.communicate(timeout=250)
    assert process.returncode == 0, err
    return out


def open_study(url: str) -> optuna.Study:
    (name,) = optuna.get_all_study_names(url)
    return optuna.load_study(study_name=name, storage=url)


def test_a_search_continues_after_its_stored_trials(folder: Path) -> None:
    first = finish(start(folder, 1))
    second = finish(start(folder, 2))

    assert "trial 0, fold 2 of 2" in first
    assert "going on after 1 of 2 trials" in second
    assert "trial 0," not in second
    best = FitSettings.from_json(json.loads((folder / "out" / "settings.json").read_text()))
    assert (best.steps, best.labels) == (4, SHORT.labels)


@pytest.mark.slow
def test_a_killed_search_continues_and_prints_from_where(folder: Path) -> None:
    url = f"sqlite:///{folder / 'out' / 'search.db'}"
    process = start(folder, 6)
    try:
        # Progress bars are not drawn into a pipe: the first lines of a trial show that it runs.
        assert process.stdout is not None
        output = ""
        while "trial 1, fold 1 of 2" not in output:
            line = process.stdout.readline()
            assert line, output
            output += line
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert not (folder / "out" / "settings.json").exists()
    before = {trial.number: trial.state for trial in open_study(url).trials}
    assert before == {0: optuna.trial.TrialState.COMPLETE, 1: optuna.trial.TrialState.RUNNING}

    printed = finish(start(folder, 3))

    assert re.search(r"going on after 1 of 3 trials in\s+sqlite:///", printed)
    assert "trial 0," not in printed
    done = [trial for trial in open_study(url).trials if trial.state.is_finished()]
    assert len(done) == 3
    assert (folder / "out" / "settings.json").exists()


@pytest.mark.slow
def test_two_workers_share_a_search_and_plot_it(folder: Path) -> None:
    url = f"sqlite:///{folder / 'shared.db'}"

    workers = [start(folder, 6, out, "--storage", url) for out in ("one", "two")]
    printed = [finish(worker) for worker in workers]

    trials = open_study(url).trials
    numbers = [set(re.findall(r"trial (\d+), fold 1 of 2", text)) for text in printed]
    assert not numbers[0] & numbers[1], "no trial was worked on twice"
    assert numbers[0] | numbers[1] == {str(trial.number) for trial in trials}
    assert all(numbers), "both workers had some"
    # Each worker may have been in a trial when the sixth was done.
    assert 6 <= len(trials) <= 7
    for out in ("one", "two"):
        for name in ("history.png", "importance.png"):
            assert (folder / out / name).read_bytes().startswith(b"\x89PNG")
