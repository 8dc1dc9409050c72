"""The same bundle judges alike under ai-edge-litert and under tflite-runtime.

The two cannot live in one environment (tflite-runtime needs numpy 1), so the second one is given:

    python3.11 -m venv .venv-tflite
    .venv-tflite/bin/pip install tflite-runtime==2.14.0 'numpy<2' pydantic scipy pyyaml structlog
    export SCOPEWATCH_TFLITE_PYTHON=.venv-tflite/bin/python
    pytest tests/integration/acquired_files/test_two_runtimes.py
"""

import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import scopewatch
from scopewatch.core.imaging.normalise import normalise
from scopewatch.inference.bundle import Bundle, load_bundle
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_simulator.simulation import Simulation
from tests.unit.inference.bundles import make_view, write_tiny

SHIPPED = Path(__file__).parents[3] / "models" / "simulated-cardiomyocyte"
SCRIPT = Path(__file__).with_name("score_views.py")
VIEWS = {
    "even": make_view(256, 256),
    "partial": make_view(203, 331, seed=1),
    "flat": np.zeros((128, 128), np.float32),
    "extreme": make_view(128, 192, seed=2) * 100,
}


@pytest.fixture(scope="module")
def other_python() -> Path:
    """The Python of an environment that has tflite-runtime and not ai-edge-litert."""
    named = os.environ.get("SCOPEWATCH_TFLITE_PYTHON")
    if not named:
        pytest.skip("two runtimes: set SCOPEWATCH_TFLITE_PYTHON to a Python with tflite-runtime")
    path = Path(named).absolute()
    if not path.exists():
        pytest.fail(f"SCOPEWATCH_TFLITE_PYTHON names no file: {path}")
    return path


def score_elsewhere(
    python: Path, bundle: Bundle, given: dict[str, NDArray[np.float32]], tmp_path: Path
) -> dict[str, NDArray[np.float32]]:
    views, scores = tmp_path / "views.npz", tmp_path / "scores.npz"
    with views.open("wb") as file:
        content: dict[str, Any] = dict(given)
        np.savez(file, **content)
    source = str(Path(scopewatch.__file__).parents[1])
    done = subprocess.run(
        [python, SCRIPT, bundle.folder, views, scores, "tflite-runtime"],
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with np.load(scores) as stored:
        return {name: stored[name] for name in stored.files}


def test_scores_agree_within_one_quantisation_step(other_python: Path, tmp_path: Path) -> None:
    bundle = load_bundle(write_tiny(tmp_path / "tiny"))
    scorer = TFLiteScorer(bundle, threads=2, memory_budget_mb=64, runtime="litert")

    elsewhere = score_elsewhere(other_python, bundle, VIEWS, tmp_path)

    assert elsewhere.keys() == VIEWS.keys()
    for name, view in VIEWS.items():
        off = np.abs(scorer.score(view) - elsewhere[name]).max() / scorer.step
        assert off <= 1.001, f"{name}: {off:.1f} steps apart"
    assert len(np.unique(elsewhere["even"])) > 5


def test_the_shipped_bundle_calls_the_same_tiles_positive(
    other_python: Path, tmp_path: Path
) -> None:
    # The kernels of the two round halves differently. A trained network is steep near its
    # threshold, and moves single tiles by more than a step.
    if not SHIPPED.is_dir():
        pytest.skip(f"the shipped bundle is not there: {SHIPPED.name}")
    bundle = load_bundle(SHIPPED)
    simulation = Simulation(seed=11, size_px=512)
    spec = bundle.card.normalisation.spec()
    views = {
        f"day{time / 2:g}": normalise(simulation.frame(0, 0, 0, time), spec)
        for time in (12, 16, 20)
    }
    scorer = TFLiteScorer(bundle, threads=2, memory_budget_mb=64, runtime="litert")

    elsewhere = score_elsewhere(other_python, bundle, views, tmp_path)

    here = np.stack([scorer.score(view) for view in views.values()])
    there = np.stack([elsewhere[name] for name in views])
    assert np.abs(here - there).mean() < scorer.step
    called, called_there = (each >= bundle.card.threshold for each in (here, there))
    assert np.mean(called != called_there) < 0.005
    assert 0.02 < np.mean(called) < 0.98
