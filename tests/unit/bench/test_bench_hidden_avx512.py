"""The runtime of which AVX-512 is hidden gives the same scores by other kernels."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.paired.hidden_avx512 import hide_avx512

ROOT = Path(__file__).parents[3]
SCORE = """
import sys, zlib, numpy as np, ai_edge_litert
from pathlib import Path
from scopewatch.inference.bundle import load_bundle
from scopewatch.inference.tflite import TFLiteScorer
model = Path("models/simulated-cardiomyocyte")
scorer = TFLiteScorer(load_bundle(model), threads=1, memory_budget_mb=512)
view = np.clip(np.random.default_rng(0).normal(0, 1.5, (256, 256)), -6, 6).astype(np.float32)
print(ai_edge_litert.__path__[0], zlib.crc32(scorer.score(view).tobytes()))
"""


@pytest.mark.skipif(
    platform.machine() != "x86_64" or sys.platform != "linux", reason="about x86-64 on Linux"
)
def test_a_runtime_without_avx512_gives_the_same_scores(tmp_path: Path) -> None:
    hidden = hide_avx512(tmp_path)
    path = os.pathsep.join((hidden["PYTHONPATH"], *sys.path))
    seen = [
        subprocess.run(
            [sys.executable, "-c", SCORE],
            env={**os.environ, **variables},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()[-2:]
        for variables in (
            {"PYTHONPATH": os.pathsep.join(sys.path)},
            {**hidden, "PYTHONPATH": path},
        )
    ]
    assert seen[0][0] != seen[1][0] == str(tmp_path / "ai_edge_litert")
    assert seen[0][1] == seen[1][1]
