"""Cross-validation and search on a real cluster: the figures of one process, over a killed one."""

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from distributed import Client

from scopewatch.runtime.cluster.address import ClusterAddress
from scopewatch.runtime.cluster.connect import open_cluster
from tests.integration.training.test_train_cross_validate import LEAN, command, finish, read
from tests.integration.training.test_train_fit import SETTINGS
from tests.integration.training.test_train_tune import SHORT, start
from tests.integration.training.test_train_tune import finish as finish_search
from tests.unit.training.tiny_data import write_dataset

pytestmark = [pytest.mark.training, pytest.mark.timeout(600)]


def trials(folder: Path, name: str) -> list[tuple[dict[str, Any], float | None]]:
    url = f"sqlite:///{folder / name / 'search.db'}"
    (study,) = optuna.get_all_study_names(url)
    return [
        (trial.params, trial.value)
        for trial in optuna.load_study(study_name=study, storage=url).trials
    ]


@pytest.mark.slow
def test_a_search_on_two_processes_tries_the_same_and_finds_the_same(tmp_path: Path) -> None:
    write_dataset(tmp_path / "data")
    (tmp_path / "settings.json").write_text(json.dumps(SHORT.to_json()))
    finish_search(start(tmp_path, 2, "alone"))
    printed = finish_search(start(tmp_path, 2, "shared", "--dask", "local:2"))
    assert "trial 1, 2 folds" in printed
    assert trials(tmp_path, "shared") == trials(tmp_path, "alone")
    best = [(tmp_path / name / "settings.json").read_text() for name in ("alone", "shared")]
    assert best[0] == best[1]


@pytest.mark.slow
def test_folds_of_a_killed_process_are_done_again_with_the_same_figures(tmp_path: Path) -> None:
    write_dataset(tmp_path / "data", runs=2)
    settings = replace(SETTINGS, steps=30, checks=1)
    (tmp_path / "settings.json").write_text(json.dumps(settings.to_json()))
    finish(command(tmp_path, "plain", "--threads", 1, *LEAN))

    with open_cluster(ClusterAddress(workers=2)) as client:
        killed = threading.Event()
        words = command(tmp_path, "shared", "--threads", 1, *LEAN)
        process = subprocess.Popen(
            [*words, "--dask", client.scheduler.address], stdout=subprocess.PIPE, text=True
        )
        kill_one_that_works(client, tmp_path / "shared", killed)
        printed, _ = process.communicate(timeout=500)
    assert process.returncode == 0, printed
    assert killed.is_set()
    assert read(tmp_path / "shared.json") == read(tmp_path / "plain.json")


def kill_one_that_works(client: Client, work: Path, killed: threading.Event) -> None:
    """Kill the process of a fold once it has left a checkpoint."""
    pids = sorted(client.run(os.getpid).values())
    while not list(work.glob("*.work/*.npz")):
        if killed.wait(0.2):
            return
    os.kill(pids[0], signal.SIGKILL)
    killed.set()


def test_a_word_that_is_no_cluster_is_refused(tmp_path: Path) -> None:
    write_dataset(tmp_path / "data", runs=2)
    words = [sys.executable, "-m", "scopewatch_training", "tune", str(tmp_path / "data")]
    words += ["--out", str(tmp_path / "out"), "--dask", "elsewhere"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 2
    assert "cluster is not understood: --dask" in done.stderr
