"""CPU time of the invoke of int8 networks, in turns on the same frame.

    python -m benchmarks.paired.compare_networks OLD NEW [MORE ...] [--pairs 30] [--side-px 2048]

Each is a bundle or a .tflite file; the first one is what the others are compared with. One thread,
the interpreter that the daemon opens, frame already in int8 codes. In each round every network is
invoked once, in changing order.
"""

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.paired.builds import processor
from benchmarks.paired.ratios import paired_ratio
from scopewatch.inference.bundle import MODEL_FILE
from scopewatch.inference.runtimes import open_runtime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", type=Path, nargs="+")
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--side-px", type=int, default=2048)
    call = parser.parse_args()
    opened = [open_network(path, call.side_px) for path in call.networks]
    took_ms: list[list[float]] = [[] for _ in opened]
    rng = np.random.default_rng(0)
    for pair in range(call.pairs + 1):
        for index in rng.permutation(len(opened)):
            started = time.process_time()
            opened[index].invoke()
            # The first round packs weights.
            if pair:
                took_ms[index].append(1e3 * (time.process_time() - started))
    print(f"{processor()}, {call.side_px} x {call.side_px} px, 1 thread")
    for path, each in zip(call.networks, took_ms, strict=True):
        ratio = "" if each is took_ms[0] else f"  x {paired_ratio(each, took_ms[0])}"
        print(f"{statistics.median(each):>8.1f} CPU-ms{ratio}  {path}")


def open_network(path: Path, side_px: int) -> Any:
    """Return an interpreter that has a frame of noise as its input."""
    file = path / MODEL_FILE if path.is_dir() else path
    _, module = open_runtime(None)
    interpreter = module.Interpreter(model_content=file.read_bytes(), num_threads=1)
    index = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(index, [1, side_px, side_px, 1])
    interpreter.allocate_tensors()
    noise = np.random.default_rng(0).normal(0, 32, (1, side_px, side_px, 1))
    interpreter.set_tensor(index, np.clip(noise, -128, 127).astype(np.int8))
    return interpreter


if __name__ == "__main__":
    main()
