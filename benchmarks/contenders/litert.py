"""The daemon's way: one int8 invoke of a bundle on a whole frame, codes and scores included."""

import sys
from pathlib import Path

import numpy as np
from serving import SIDE_PX, serve

from scopewatch.inference.bundle import load_bundle
from scopewatch.inference.runtimes import runtime_version
from scopewatch.inference.tflite import TFLiteScorer


def main() -> None:
    """Open the bundle that the call names, and serve."""
    scorer = TFLiteScorer(load_bundle(Path(sys.argv[1])), threads=1, memory_budget_mb=4096)
    noise = np.random.default_rng(0).normal(0, 1.5, (SIDE_PX, SIDE_PX))
    view = np.clip(noise, -6, 6).astype(np.float32)
    serve(lambda: scorer.score(view), share=1.0, version=runtime_version(scorer.runtime))


if __name__ == "__main__":
    main()
