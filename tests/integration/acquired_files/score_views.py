"""Score views with a bundle and save the scores; `test_two_runtimes` runs it in another Python.

    python score_views.py BUNDLE VIEWS.npz SCORES.npz RUNTIME

Needs scopewatch's core and inference with numpy, scipy, pydantic and PyYAML only.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from scopewatch.inference.bundle import load_bundle
from scopewatch.inference.tflite import TFLiteScorer


def main(bundle: str, views: str, scores: str, runtime: str) -> None:
    """Score every view; save the scores by the names of the views, and the runtime."""
    if runtime not in ("litert", "tflite-runtime"):
        raise SystemExit(f"no such runtime: {runtime}")
    scorer = TFLiteScorer(load_bundle(Path(bundle)), threads=2, memory_budget_mb=64)
    if scorer.runtime != runtime:
        raise SystemExit(f"expected {runtime} to be the only runtime here, got {scorer.runtime}")
    with np.load(views) as stored:
        answers: dict[str, Any] = {name: scorer.score(stored[name]) for name in stored.files}
    np.savez(scores, **answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
