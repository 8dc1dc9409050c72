"""The cost of training on a large data set: peak memory of each command, and prepare's speed.

    python benchmarks/train_memory.py --gb 20 --work /scratch/train-memory

Writes simulated pairs of 1024 x 1024 px until the prepared data set will have the size asked for,
then runs `prepare`, a short `fit` with one run held out, and `evaluate` of that run as a user
would, each with no more than 256 files open a process. Prints for each its time, its processor
time (which other programs do not change much) and its peak memory: the sum over its processes of
the highest resident size each ever had, which is no less than they had at once. Planning a
simulated field is slow, so that each is taken at several time points and in eight orientations;
beyond `--distinct` pairs the manifest names the same pictures again, at later time points, and
`prepare` makes a pair of its own of each.
"""

import argparse
import csv
import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import tifffile
from numpy.typing import NDArray

from scopewatch_simulator.plan import (
    FINAL_TIME_POINT,
    PLATE,
    UM_PER_PX,
    Regime,
    day_of,
    well_name,
)
from scopewatch_simulator.simulation import Simulation
from scopewatch_simulator.tables import write_notice
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.network_spec import NetworkSpec

SIDE_PX: Final = 1024
BYTES_PER_PAIR: Final = SIDE_PX**2 * (2 + 4)
SEED: Final = 600
RUNS: Final = 5
WELLS: Final = 96
FEW_FILES: Final = 'ulimit -n 256 && exec "$0" "$@"'
LIMIT_MB: Final = 4096
COMMANDS: Final = ("prepare", "fit", "evaluate")


def main() -> int:
    """Make the data set, run the commands; 1 when one failed or took more than 4 GB."""
    parser = argparse.ArgumentParser(description="Peak memory of training on a large data set.")
    parser.add_argument("--gb", type=float, default=0.5, help="size of the prepared data set")
    parser.add_argument("--work", type=Path, default=Path("build/train-memory"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--distinct", type=int, default=400, help="pairs with pictures of their own"
    )
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--depth", type=int, default=2)
    parser.add_argument("--no-baselines", action="store_true", help="leave them out of evaluate")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument(
        "--begin-with", choices=COMMANDS, default=COMMANDS[0], help="keep what those before it made"
    )
    chosen = parser.parse_args()
    work: Path = chosen.work.resolve()
    pairs = max(2 * RUNS, round(chosen.gb * 1e9 / BYTES_PER_PAIR))
    raw, data, bundle = work / "raw", work / "data", work / "bundle"
    if not (raw / "manifest.csv").is_file():
        shutil.rmtree(raw, ignore_errors=True)
        write_pairs(raw, min(pairs, chosen.distinct), pairs)
    # Each check scores all held-out frames; their number does not change the memory. Networks of
    # halvings need more of it than those of patches.
    network = NetworkSpec(stem="halvings")
    settings = work / "settings.json"
    settings.write_text(json.dumps(FitSettings(network=network, checks=1).to_json()))
    print(f"{pairs} pairs of {SIDE_PX} x {SIDE_PX} px", flush=True)
    begin = COMMANDS.index(chosen.begin_with)
    if begin == 0:
        # A second call would find finished pairs and measure nothing.
        shutil.rmtree(data, ignore_errors=True)
    commands = {
        "prepare": [
            *("prepare", raw / "manifest.csv", "--out", data),
            *("--area-cutoff", 0.5, "--workers", chosen.workers),
        ],
        "fit": [
            *("fit", data, "--out", bundle, "--hold-out", f"run{RUNS}", "--settings", settings),
            *("--steps", chosen.steps, "--width", chosen.width, "--depth", chosen.depth),
            *("--area-cutoff", 0.5, "--threads", chosen.workers),
        ],
        "evaluate": [
            *("evaluate", bundle, data, "--threads", chosen.workers),
            *(["--no-baselines"] if chosen.no_baselines else []),
        ],
    }
    failed = False
    for name in COMMANDS[begin:]:
        words = commands[name]
        before = processor_seconds()
        status, seconds, peak_mb = watch([str(word) for word in words], work / f"{name}.log")
        cost = processor_seconds() - before
        speed = f", {pairs / seconds:.1f} pairs/s" if name == "prepare" else ""
        print(
            f"{name}: {seconds:.0f} s{speed}, {1000 * cost / pairs:.0f} ms of one core a pair,"
            f" peak {peak_mb:.0f} MB, exit {status}",
            flush=True,
        )
        failed |= status != 0 or peak_mb > LIMIT_MB
        if status != 0:
            print((work / f"{name}.log").read_text()[-2000:])
            break
    if not chosen.keep:
        shutil.rmtree(work)
    return int(failed)


def write_pairs(folder: Path, count: int, in_all: int) -> None:
    """Write `count` pairs, the runs in turn, and a manifest of `in_all` that names them again."""
    folder.mkdir(parents=True)
    write_notice(folder, seed=SEED, regime=Regime.BROAD)
    rows: list[dict[str, str | int | float]] = []
    begun = time.monotonic()
    for index, (run, well, time_point, site, pictures) in zip(
        range(count), simulate_pairs(count), strict=False
    ):
        name = f"run{run + 1}"
        stem = f"{name}/{well_name(well)}_s{site}_t{time_point:04d}"
        (folder / name).mkdir(exist_ok=True)
        files = {kind: f"{stem}_{kind}.tif" for kind in pictures}
        for kind, pixels in pictures.items():
            tifffile.imwrite(folder / files[kind], pixels)
        rows.append(
            {
                "run": name,
                "plate": PLATE,
                "well": well_name(well),
                "site": site,
                "time_point": time_point,
                "day": day_of(time_point),
                **files,
                "um_per_px": UM_PER_PX,
            }
        )
        if index % 200 == 199:
            took = time.monotonic() - begun
            print(f"simulated {index + 1} of {count} pairs in {took:.0f} s", flush=True)
    later = FINAL_TIME_POINT + 1
    with (folder / "manifest.partial").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        for index in range(in_all):
            lap, row = divmod(index, count)
            moment = int(rows[row]["time_point"]) + lap * later
            writer.writerow(rows[row] | {"time_point": moment})
    (folder / "manifest.partial").rename(folder / "manifest.csv")


def simulate_pairs(
    count: int,
) -> Iterator[tuple[int, int, int, int, dict[str, NDArray[np.uint16]]]]:
    """Yield (run, well, time point, site, pictures), wells of all runs in turn.

    A site is an orientation of one field. Of a small data set a field is taken at fewer time
    points, so that every run has some; the final day comes first.
    """
    simulation = Simulation(seed=SEED, size_px=SIDE_PX, cached_fields=1)
    moments = min(FINAL_TIME_POINT + 1, max(1, count // (8 * RUNS)))
    for field in range(RUNS * WELLS):
        well, run = divmod(field, RUNS)
        for time_point in range(FINAL_TIME_POINT, FINAL_TIME_POINT - moments, -1):
            phase = simulation.frame(run, well, 0, time_point)
            marker = simulation.marker_frame(run, well, 0, time_point)
            for site in range(8):
                pictures = {"phase": turn(phase, site), "fluorescence": turn(marker, site)}
                yield run, well, time_point, site, pictures


def turn(plane: NDArray[np.uint16], orientation: int) -> NDArray[np.uint16]:
    """Return one of the eight orientations of a plane."""
    turned = np.rot90(plane, orientation % 4)
    return np.ascontiguousarray(turned[:, ::-1] if orientation >= 4 else turned)


def watch(words: list[str], log: Path) -> tuple[int, float, float]:
    """Run a command of `scopewatch-train`: its exit status, seconds, and peak memory in MB."""
    begun = time.monotonic()
    peaks: dict[int, int] = {}
    with log.open("wb") as stream:
        process = subprocess.Popen(
            ["sh", "-c", FEW_FILES, sys.executable, "-m", "scopewatch_training", *words],
            stdout=stream,
            stderr=stream,
        )
        while process.poll() is None:
            for pid in family(process.pid):
                peaks[pid] = max(peaks.get(pid, 0), highest_kb(pid))
            time.sleep(0.5)
    return process.returncode, time.monotonic() - begun, sum(peaks.values()) / 1024


def processor_seconds() -> float:
    """Return what all processes that were started here and have ended took, on any core."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in children.read_text().split()]
            except OSError:
                continue  # ended since it was listed
    return found


def highest_kb(pid: int) -> int:
    """Return the highest resident size a process ever had; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


if __name__ == "__main__":
    sys.exit(main())
