"""Real processes predict, measure, compare and recalibrate."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from scopewatch.core.estimation.recalibration import tally
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.core.imaging.model_card.held_out import ForecastDay
from scopewatch.inference.bundle import load_bundle
from scopewatch_simulator.simulation import Simulation
from scopewatch_training.bundle.bundle_writer import rewrite_card
from scopewatch_training.forecasting.held_out_record import HeldOutDay, HeldOutRecord, write_record
from tests.integration.conftest import Save
from tests.integration.daemon import Daemon
from tests.unit.core.fluorescence_samples import RECIPE

WELLS = ("A1", "A2", "A3", "A4")
LAST = 20
TRUE_TPR = 0.7
"""Error rates of the changed card, under which every well reads far too high."""


@pytest.fixture
def off_bundle(tmp_path: Path, bundle: Path) -> Path:
    """Return the shipped bundle with a card whose stated errors this run exceeds."""
    folder = tmp_path / "bundle"
    shutil.copytree(bundle, folder)
    card = load_bundle(folder).card
    assert card.errors is not None
    errors = {"tpr": TRUE_TPR, "half_width": 0.05, "run_residuals": {"run1": 0.01}}
    labels = card.labels.model_dump() | {"recipe": RECIPE}
    table = [
        ForecastDay(day=day, intercept=0, slope=1, half_width=0.2, better_than_prior=True)
        for day in (6.0, 8.0, 10.0)
    ]
    changed = card.model_dump() | {
        "errors": card.errors.model_dump() | errors,
        "labels": labels,
        "forecast": table,
    }
    rewrite_card(folder, ModelCard.model_validate(changed))
    write_record(folder, _earlier_runs(tuple(table)))
    return folder


def _earlier_runs(table: tuple[ForecastDay, ...]) -> HeldOutRecord:
    """Return two runs on which raw fraction and truth agree."""
    frames, days = [], []
    for run in ("earlier1", "earlier2"):
        for well in range(1, 8):
            labels = (np.arange(80).reshape(8, 10) < 10 * well).astype(np.int8)
            scores = np.where(labels == 1, 0.9, 0.1).astype(np.float32)
            frames.append(tally(f"{run}-{well}", run, labels, scores, labels >= 0))
            final = well / 8
            estimate = min(1.0, final / TRUE_TPR)
            days += [
                HeldOutDay(run=run, day=day, estimate=estimate, trend=0.0, final=final)
                for day in (8.0, 9.0, 10.0)
            ]
    return HeldOutRecord(
        runs=("earlier1", "earlier2"), table=table, wells=tuple(days), frames=tuple(frames)
    )


def test_a_run_is_measured_compared_and_taken_up(
    daemon: Daemon, off_bundle: Path, save: Save
) -> None:
    daemon.settings["model"]["bundle"] = str(off_bundle)
    daemon.settings["experiment"]["fluorescence_channel"] = "gfp"
    simulation = Simulation(seed=7, size_px=256)
    truth = {}
    for index, well in enumerate(WELLS):
        for time_point in (18, LAST):
            name = f"P1_{well}_s0_t{time_point:04d}_phase.tif"
            save(daemon.incoming / name, simulation.frame(0, index, 0, time_point))
        truth[well] = simulation.truth(0, index, 0, LAST).efficiency
    daemon.start_ready()
    daemon.eventually(lambda: list(daemon.states().values()) == ["done"] * 8, within_s=40)
    for index, well in enumerate(WELLS):
        name = f"P1_{well}_s0_t{LAST:04d}_gfp.tif"
        save(daemon.incoming / name, simulation.marker_frame(0, index, 0, LAST))
    daemon.eventually(lambda: list(daemon.states().values()).count("measured") == 4, within_s=40)

    with daemon.reader() as reader:
        (end,) = reader.ends()
    for ended in end.wells:
        assert ended.measured == pytest.approx(truth[ended.well], abs=0.05)
        assert ended.now is not None
        assert [forecast.day for forecast in ended.forecasts] == [9.0]
    status = json.loads(daemon.ask("status", "--json").stdout)
    (measured,) = status["measured"]
    assert measured["report"]["now"]["wells"] == 4
    assert "too high on average" in measured["report"]["departs"]
    assert "departs from the model card" in daemon.ask("status").stdout
    assert daemon.count("run departs from the model card") >= 1
    assert daemon.end() == 0

    proposal = Path(measured["proposal"])
    assert proposal == daemon.state / "recalibration" / "run 1.json"
    out = daemon.root / "recalibrated"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "scopewatch_training", "recalibrate"),
            *(str(off_bundle), str(proposal), "--out", str(out)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    card = load_bundle(out).card
    assert card.recalibrated_on == ("run 1",)
    assert card.errors is not None
    assert card.errors.run_residuals.keys() == {"earlier1", "earlier2", "run 1"}
    assert card.errors.tpr > 0.9
    assert abs(card.errors.run_residuals["run 1"]) < 0.06
    assert yaml.safe_load((out / "card.yaml").read_text())["recalibrated_on"] == ["run 1"]
