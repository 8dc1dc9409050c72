"""The microscope of the demo: a real Micro-Manager core acquires simulated pixels."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ndstorage.ndtiff_dataset import NDTiffDataset

from scopewatch.demo.folder import RUN
from scopewatch_simulator.plan import FINAL_TIME_POINT
from scopewatch_simulator.simulation import Simulation

pytestmark = pytest.mark.hardware


def test_simulated_pixels_arrive_in_a_real_data_set(tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    arguments = ["--out", str(tmp_path), "--truth", str(truth)]
    arguments += ["--seed", "3", "--wells", "2", "--pace-s", "0"]
    done = subprocess.run(
        [sys.executable, "-m", "scopewatch.demo.microscope", *arguments],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "frames_acquired": 2 * (FINAL_TIME_POINT + 1)
    }
    simulation = Simulation(seed=3)
    data_set = NDTiffDataset(str(tmp_path / f"{RUN}_1"))
    stored = data_set.read_image(position="A2-Site_0", time=FINAL_TIME_POINT, channel="phase")
    metadata = data_set.read_metadata(position="A2-Site_0", time=2, channel="phase")
    data_set.close()
    np.testing.assert_array_equal(stored, simulation.frame(0, 1, 0, FINAL_TIME_POINT))
    assert metadata["Simulated"] is True
    assert metadata["ReceivedTime"].startswith("2026-01-02 09:00")  # 24 h after the start
    with truth.open(newline="") as stream:
        true_a2 = float(list(csv.DictReader(stream))[1]["true_efficiency"])
    expected = simulation.truth(0, 1, 0, FINAL_TIME_POINT).efficiency
    assert true_a2 == pytest.approx(expected, abs=1e-4)
