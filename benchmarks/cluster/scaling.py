"""How much of a second worker is left after Dask has taken its share.

    python -m benchmarks.cluster.scaling --pairs 5

Calls `scopewatch score --threads 1` in one process, with one worker and with two, alternated, over
the same simulated frames of 2048 x 2048. Each is called with few and with many frames; what the
difference costs for each frame of it is free of the start of processes. Processor time counts every
process of the call: client, scheduler and workers. Where others use the machine, wall times are
noise; the ratios of processor time bound the efficiency that idle cores would show.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile

from scopewatch_simulator.simulation import Simulation

BUNDLE = Path(__file__).parents[2] / "models" / "simulated-cardiomyocyte"
MODES = {"one process": (), "1 worker": ("--dask", "local:1"), "2 workers": ("--dask", "local:2")}
SIDE_PX = 2048


def write_frames(folder: Path, number: int) -> None:
    """Write frames of one simulated field, each shifted, so that no two are the same."""
    folder.mkdir()
    pixels = Simulation(seed=5, size_px=SIDE_PX).frame(0, 0, 0, 14)
    for index in range(number):
        tifffile.imwrite(
            folder / f"P1_A{index % 12 + 1}_s0_t{index // 12:04d}_phase.tif",
            np.roll(pixels, 61 * index, axis=1),
            resolution=(1e4, 1e4),
            resolutionunit="CENTIMETER",
        )


def cost(folder: Path, *options: str) -> tuple[float, float]:
    """Return processor and wall seconds of a call, with all processes that it started."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    call = [sys.executable, "-m", "scopewatch", "score", str(folder), "-m", str(BUNDLE)]
    done = subprocess.run(
        [*call, "--threads", "1", "--pattern", "scopewatch", *options],
        capture_output=True,
        text=True,
        check=True,
    )
    wall_s = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if len(done.stdout.splitlines()) != len(list(folder.iterdir())):
        raise RuntimeError(done.stderr)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall_s


def main() -> None:
    """Print medians for each frame, and the efficiency."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--pairs", type=int, default=5)
    options.add_argument("--few", type=int, default=6)
    options.add_argument("--many", type=int, default=36)
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    seen: dict[str, list[tuple[float, float]]] = {mode: [] for mode in MODES}
    with tempfile.TemporaryDirectory() as name:
        few, many = Path(name) / "few", Path(name) / "many"
        write_frames(few, given.few)
        write_frames(many, given.many)
        for turn in range(given.pairs):
            for mode in list(MODES)[:: 1 if turn % 2 else -1]:
                first, second = cost(few, *MODES[mode]), cost(many, *MODES[mode])
                each = given.many - given.few
                cpu_s, wall_s = ((b - a) / each for a, b in zip(first, second, strict=True))
                seen[mode].append((cpu_s, wall_s))
                print(f"{mode}: {1e3 * cpu_s:.0f} CPU-ms, {1e3 * wall_s:.0f} ms", flush=True)
    cpu = {mode: [each[0] for each in values] for mode, values in seen.items()}
    wall = {mode: [each[1] for each in values] for mode, values in seen.items()}
    ratios = [one / two for one, two in zip(cpu["one process"], cpu["2 workers"], strict=True)]
    scaling = [one / two for one, two in zip(cpu["1 worker"], cpu["2 workers"], strict=True)]
    walls = [one / (2 * two) for one, two in zip(wall["1 worker"], wall["2 workers"], strict=True)]
    figures = {
        "processor": _processor(),
        "load": os.getloadavg()[0],
        "cpu_ms_per_frame": {mode: 1e3 * statistics.median(each) for mode, each in cpu.items()},
        "one process / 2 workers, CPU": _spread(ratios),
        "1 worker / 2 workers, CPU": _spread(scaling),
        "efficiency of wall time": _spread(walls),
    }
    print(json.dumps(figures, indent=2))
    if given.json is not None:
        given.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "least": round(min(values), 3),
        "most": round(max(values), 3),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
