"""Speed and memory of scoring, as ratios measured side by side.

    python benchmarks/inference.py

Absolute times depend on the machine and its load; ratios of runs that take turns on the same
machine depend on them much less.
"""

import argparse
import json
import resource
import statistics
import time
from pathlib import Path

import numpy as np

from scopewatch.inference.bundle import load_bundle
from scopewatch.inference.tflite import TFLiteScorer

SHIPPED = Path(__file__).parents[1] / "models" / "simulated-cardiomyocyte"


def measure(scorers: dict[str, TFLiteScorer], side_px: int, repeats: int) -> dict[str, float]:
    """Return the median milliseconds of scoring one frame, scorers taking turns."""
    rng = np.random.default_rng(0)
    view = np.clip(rng.normal(0, 1.5, (side_px, side_px)), -6, 6).astype(np.float32)
    times: dict[str, list[float]] = {name: [] for name in scorers}
    for round_number in range(repeats + 1):
        for name, scorer in scorers.items():
            started = time.perf_counter()
            scorer.score(view)
            # The first round plans memory and packs weights.
            if round_number:
                times[name].append(1e3 * (time.perf_counter() - started))
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Measure and print JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", type=Path, default=SHIPPED)
    options.add_argument("--side-px", type=int, default=2048)
    options.add_argument("--repeats", type=int, default=9)
    chosen = options.parse_args()
    bundle = load_bundle(chosen.model)
    scorers = {
        "one_piece_1_thread": TFLiteScorer(bundle, threads=1, memory_budget_mb=4096),
        "one_piece_2_threads": TFLiteScorer(bundle, threads=2, memory_budget_mb=4096),
        "strips_128_mb_2_threads": TFLiteScorer(bundle, threads=2, memory_budget_mb=128),
    }
    median_ms = measure(scorers, chosen.side_px, chosen.repeats)
    figures = {
        "model": bundle.card.name,
        "side_px": chosen.side_px,
        "median_ms": {name: round(value, 1) for name, value in median_ms.items()},
        "threads_2_to_1": round(
            median_ms["one_piece_2_threads"] / median_ms["one_piece_1_thread"], 3
        ),
        "strips_to_one_piece": round(
            median_ms["strips_128_mb_2_threads"] / median_ms["one_piece_2_threads"], 3
        ),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
