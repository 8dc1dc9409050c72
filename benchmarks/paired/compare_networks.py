"""CPU time of the invoke of int8 networks under some runtimes, in turns on the same frame.

    python -m benchmarks.paired.compare_networks OLD [NEW ...] [--runtimes litert openvino]
        [--pairs 30] [--side-px 2048]

Each is a bundle or a .tflite file; the first one under the first runtime is what the others are
compared with. One thread, opened as the daemon opens it, frame already in int8 codes. In each round
every network is invoked once under every runtime, in changing order.
"""

import argparse
import statistics
import time
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.paired.builds import processor
from benchmarks.paired.ratios import paired_ratio
from scopewatch.inference.bundle import MODEL_FILE
from scopewatch.inference.engine import Engine
from scopewatch.inference.runtimes import Runtime, open_engine


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", type=Path, nargs="+")
    parser.add_argument("--runtimes", nargs="+", default=["litert"])
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--side-px", type=int, default=2048)
    call = parser.parse_args()
    shown = list(product(call.networks, call.runtimes))
    opened = [open_network(path, runtime, call.side_px) for path, runtime in shown]
    noise = np.random.default_rng(0).normal(0, 32, (1, call.side_px, call.side_px, 1))
    frame = np.clip(noise, -128, 127).astype(np.int8)
    took_ms: list[list[float]] = [[] for _ in opened]
    rng = np.random.default_rng(0)
    for pair in range(call.pairs + 1):
        for index in rng.permutation(len(opened)):
            started = time.process_time()
            opened[index].invoke(partial(np.copyto, src=frame))
            # The first round packs weights.
            if pair:
                took_ms[index].append(1e3 * (time.process_time() - started))
    print(f"{processor()}, {call.side_px} x {call.side_px} px, 1 thread")
    for (path, runtime), each in zip(shown, took_ms, strict=True):
        ratio = "" if each is took_ms[0] else f"  x {paired_ratio(each, took_ms[0])}"
        print(f"{statistics.median(each):>8.1f} CPU-ms{ratio}  {path} under {runtime}")


def open_network(path: Path, runtime: Runtime, side_px: int) -> Engine:
    """Return a network that is ready for square frames."""
    file = path / MODEL_FILE if path.is_dir() else path
    engine = open_engine(runtime, file.read_bytes(), threads=1)
    engine.resize(side_px, side_px)
    return engine


if __name__ == "__main__":
    main()
