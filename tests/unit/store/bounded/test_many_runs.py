"""What the daemon asks of its database does not grow with the number of runs that are over."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.history.asking import count_all
from benchmarks.history.copied import Copy, copy_runs
from benchmarks.history.lab import Lab, opened
from benchmarks.history.recorded import record
from benchmarks.history.script import DAYS, Script, configure
from benchmarks.soak.daemon_process import BUNDLE
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.inference.bundle import load_bundle

BEGAN = datetime(2026, 1, 1, 9, tzinfo=UTC)
GAP_DAYS = int(DAYS) + 2
FEW, MANY = 3, 14
# Trees are deeper, names of runs are listed, and some messages are counted.
MORE = 1.1
SLACK = 400


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return load_bundle(BUNDLE).card


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, card: ModelCard) -> Path:
    """A folder with one run, which ended measured."""
    folder = tmp_path_factory.mktemp("recorded")
    script = script_of(0)
    record(configure(folder, script, BUNDLE), card, script)
    return folder


def script_of(run: int) -> Script:
    began_at = BEGAN + timedelta(days=GAP_DAYS * run)
    return Script(
        run=f"run-{run:03d}", began_at=began_at, wells=6, time_points=20, interval_s=43_200
    )


@contextmanager
def history(folder: Path, recorded: Path, runs: int, card: ModelCard) -> Iterator[Lab]:
    """The database after so many runs, open at the end of the newest."""
    shutil.copytree(recorded, folder)
    copies = [
        Copy(of="run-000", name=script_of(run).run, days=GAP_DAYS * run, number=run)
        for run in range(1, runs)
    ]
    copy_runs(folder / "state", copies)
    script = script_of(runs - 1)
    with opened(configure(folder, script, BUNDLE), card, script) as lab:
        yield lab


def test_no_question_reads_more_after_many_runs_than_after_few(
    tmp_path: Path, recorded: Path, card: ModelCard
) -> None:
    with history(tmp_path / "few", recorded, FEW, card) as lab:
        few = count_all(lab)
    with history(tmp_path / "many", recorded, MANY, card) as lab:
        many = count_all(lab)
    assert len(few) > 20
    grown = {
        name: (few[name], steps) for name, steps in many.items() if steps > MORE * few[name] + SLACK
    }
    assert grown == {}
