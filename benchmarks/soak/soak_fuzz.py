"""Run every parser on damaged and hostile input, and watch for crashes and hangs.

    python benchmarks/soak/soak_fuzz.py                        a million executions, about an hour
    python benchmarks/soak/soak_fuzz.py --short                20,000 executions
    python benchmarks/soak/soak_fuzz.py --target ifd --executions 500000

Each target runs in a process of its own with a memory limit. The parent watches: a process that
dies is a crash, one that does not end an execution in time is a hang; after both the run goes on
behind the input that caused it. Failing inputs are kept with the traceback. Everything follows
from the seed. Prints a table; exits with 1 on any crash, hang, or memory beyond the limit.
"""

import argparse
import logging
import mmap
import multiprocessing
import os
import random
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.mutations import mutate
from fuzz.targets import TARGETS, RanOutOfMemoryError, Target

HANG_S = 20.0
MEMORY_MB = 1024
KEPT = 20
_NOTE = struct.Struct("<QQQ")  # executions done, failures, peak memory in kB


@dataclass(slots=True)
class Tally:
    """The result of a target."""

    executions: int = 0
    crashes: int = 0
    hangs: int = 0
    memory: int = 0
    peak_mb: float = 0.0
    seconds: float = 0.0
    first: list[str] = field(default_factory=list)


def make_input(seeds: list[bytes], seed: int, number: int) -> bytes:
    """Return the input of one execution; the first inputs are the undamaged seeds."""
    if number < len(seeds):
        return seeds[number]
    dice = random.Random(f"{seed}:{number}")
    return mutate(dice.choice(seeds), dice, seeds)


def work(target: Target, seed: int, span: tuple[int, int], note: mmap.mmap, kept: Path) -> None:
    """Run executions in this process, and record each before it begins."""
    warnings.simplefilter("ignore")
    logging.disable()  # each damaged data set is logged, a hundred thousand times
    scratch = Path(tempfile.mkdtemp(prefix="fuzz", dir=_memory_folder()))
    try:
        seeds = target.seeds(scratch)
        failures = 0
        base_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        in_use = int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE
        limit = in_use + MEMORY_MB * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        for number in range(*span):
            data = make_input(seeds, seed, number)
            try:
                target.run(data, scratch)
            except Exception as error:  # noqa: BLE001 - that any is found is the point
                failures += 1
                kind = "memory" if _is_memory(error) else "crash"
                keep(kept, kind, number, data, traceback.format_exc())
            grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base_kb
            note[: _NOTE.size] = _NOTE.pack(number + 1, failures, grown_kb)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _is_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError | RanOutOfMemoryError)


def keep(folder: Path, kind: str, number: int, data: bytes, why: str) -> None:
    """Keep an input that failed, a bounded number of each kind."""
    folder.mkdir(parents=True, exist_ok=True)
    if len(list(folder.glob(f"{kind}-*.input"))) < KEPT:
        (folder / f"{kind}-{number}.input").write_bytes(data)
    with (folder / f"{kind}.txt").open("a", encoding="utf-8") as file:
        file.write(f"execution {number}\n{why}\n")


def _memory_folder() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def fuzz(name: str, executions: int, seed: int, kept: Path) -> Tally:
    """Run one target to the end, past every input that kills its process."""
    tally, target, folder = Tally(), TARGETS[name], kept / name
    began, done = time.monotonic(), 0
    fork = multiprocessing.get_context("fork")
    while done < executions:
        note = mmap.mmap(-1, mmap.PAGESIZE)
        note[: _NOTE.size] = _NOTE.pack(done, 0, 0)
        process = fork.Process(target=work, args=(target, seed, (done, executions), note, folder))
        process.start()
        hung = _watch(process, note)
        reached, _, grown_kb = _NOTE.unpack(note[: _NOTE.size])
        tally.peak_mb = max(tally.peak_mb, grown_kb / 1024)
        if reached < executions:
            kind = "hang" if hung else "killed"
            tally.hangs += hung
            tally.crashes += not hung
            with tempfile.TemporaryDirectory() as scratch:
                data = make_input(target.seeds(Path(scratch)), seed, reached)
            keep(folder, kind, reached, data, f"exit code {process.exitcode}")
            reached += 1
        done = reached
    tally.executions = done
    tally.seconds = time.monotonic() - began
    for kind in ("crash", "memory"):
        report = folder / f"{kind}.txt"
        count = report.read_text(encoding="utf-8").count("execution ") if report.exists() else 0
        if kind == "crash":
            tally.crashes += count
        else:
            tally.memory += count
    return tally


def _watch(process: multiprocessing.Process, note: mmap.mmap) -> bool:
    """Wait for the end; kill it and return True when an execution takes too long."""
    last, since = -1, time.monotonic()
    while process.is_alive():
        process.join(0.25)
        (reached, _, _) = _NOTE.unpack(note[: _NOTE.size])
        if reached != last:
            last, since = reached, time.monotonic()
        elif time.monotonic() - since > HANG_S:
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            return True
    return False


def main() -> int:
    """Run the targets and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--executions", type=int, default=1_050_000, help="in all, or of --target")
    parser.add_argument("--target", choices=sorted(TARGETS))
    parser.add_argument("--short", action="store_true", help="20,000 executions")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="failing inputs")
    options = parser.parse_args()
    total = 20_000 if options.short else options.executions
    kept = options.keep / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    plan = {name: max(50, round(total * target.share)) for name, target in TARGETS.items()}
    if options.target:
        plan = {options.target: total}
    print("| target | executions | crashes | hangs | over memory | peak memory | seconds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    tallies = []
    for name, executions in plan.items():
        tally = fuzz(name, executions, options.seed, kept)
        tallies.append(tally)
        print(
            f"| {name} | {tally.executions:,} | {tally.crashes} | {tally.hangs} | {tally.memory} |"
            f" {tally.peak_mb:.0f} MB | {tally.seconds:.0f} |",
            flush=True,
        )
    bad = sum(tally.crashes + tally.hangs + tally.memory for tally in tallies)
    print(
        f"{sum(tally.executions for tally in tallies):,} executions, {bad} failures, seed", end=" "
    )
    print(f"{options.seed}" + (f"; inputs kept in {kept}" if bad else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
