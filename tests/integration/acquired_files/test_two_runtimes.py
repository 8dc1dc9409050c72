"""The same bundle scores the same under ai-edge-litert and under tflite-runtime.

The two cannot live in one environment (tflite-runtime needs numpy 1), so the second one is given:

    python3.11 -m venv .venv-tflite
    .venv-tflite/bin/pip install tflite-runtime==2.14.0 'numpy<2' pydantic scipy pyyaml structlog
    export SCOPEWATCH_TFLITE_PYTHON=.venv-tflite/bin/python
    pytest tests/integration/acquired_files/test_two_runtimes.py
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scopewatch
from scopewatch.inference.bundle import Bundle, load_bundle
from scopewatch.inference.tflite import TFLiteScorer
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


@pytest.fixture(params=["tiny", "shipped"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """The folder of a bundle."""
    if request.param == "tiny":
        yield write_tiny(tmp_path / "tiny")
    elif SHIPPED.is_dir():
        yield SHIPPED
    else:
        pytest.skip(f"the shipped bundle is not there: {SHIPPED.name}")


def score_elsewhere(python: Path, bundle: Bundle, tmp_path: Path) -> dict[str, np.ndarray]:
    views, scores = tmp_path / "views.npz", tmp_path / "scores.npz"
    with views.open("wb") as file:
        content: dict[str, Any] = dict(VIEWS)
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


def test_scores_agree_within_one_quantisation_step(
    other_python: Path, folder: Path, tmp_path: Path
) -> None:
    bundle = load_bundle(folder)
    scorer = TFLiteScorer(bundle, threads=2, memory_budget_mb=64, runtime="ai-edge-litert")

    elsewhere = score_elsewhere(other_python, bundle, tmp_path)

    assert elsewhere.keys() == VIEWS.keys()
    for name, view in VIEWS.items():
        off = np.abs(scorer.score(view) - elsewhere[name]).max() / scorer.step
        assert off <= 1.001, f"{name}: {off:.1f} steps apart"
    assert len(np.unique(elsewhere["even"])) > 5
