"""A long history: how long rules hold the writer, a commit takes, and the daemon needs to end.

    python -m benchmarks.history.measure [--baseline COMMIT] [--wells 96] [--time-points 500]

Prints, each with its bound:

- the time from SIGTERM to the exit of the daemon's process while its rules evaluate a history that
  is new to them;
- the time to evaluate all of it, and the longest transaction;
- the time of a commit (claim, day, commit) at its end, for all wells, beside that of another build;
- the longest transaction while day 0 moves.

Where the machine is busy with other things, transactions wait for a processor as well: the time of
each line names the processor. Exits with 1 where a bound is not held.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.history import commit_workload
from benchmarks.history.filled import fill
from benchmarks.history.long_run import LongRun, configure, copy, long_run, take_back_to
from benchmarks.paired.builds import Build, baseline, processor, this_build
from benchmarks.soak.daemon_process import start
from scopewatch.core.imaging.overlay import OverlayFiles

HOLD_S = 0.5
END_S = 5.0
COMMIT_MS = 15.0
WORKLOAD = Path(commit_workload.__file__)


def main() -> int:
    """Fill, measure, print and judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--baseline", metavar="COMMIT", help="a build whose commits are timed, too")
    parser.add_argument("--wells", type=int, default=96)
    parser.add_argument("--time-points", type=int, default=500)
    parser.add_argument("--ends", type=int, default=5, help="how often the daemon is ended")
    parser.add_argument("--rounds", type=int, default=3, help="time points that are recorded")
    parser.add_argument("--keep", type=Path, default=None, help="where the databases stay")
    call = parser.parse_args()
    other = baseline(call.baseline) if call.baseline else nullcontext(None)
    with tempfile.TemporaryDirectory() as scratch, other as before:
        run = long_run(call.keep or Path(scratch), this_build(), call.wells, call.time_points)
        print(f"{call.wells} wells x {call.time_points} time points, {processor()}")
        if not run.filled.is_dir():
            began_s = time.perf_counter()
            fill(run.filled, run.history)
            print(f"filled in {time.perf_counter() - began_s:.0f} s")
        held = [
            end_daemon(run, call.ends),
            step_all(run),
            commit(run, this_build(), call.rounds) <= COMMIT_MS,
            move_day_0(run),
        ]
        if before is not None:
            commit(run, before, call.rounds)
    return 0 if all(held) else 1


def end_daemon(run: LongRun, ends: int) -> bool:
    """Stop the daemon while it catches up, early and late, and measure the time it needs."""
    copy(run.filled, run.state)
    took_s: list[float] = []
    for number in range(ends):
        daemon = start(run.config_file, environ=this_build().environ)
        before = run.last_step()
        wait_until(lambda before=before: run.last_step() > before, daemon)
        time.sleep(number)
        began_s = time.perf_counter()
        daemon.send_signal(signal.SIGTERM)
        status = daemon.wait(600)
        took_s.append(time.perf_counter() - began_s)
        print(f"  status {status}, {took_s[-1]:.1f} s, at time point {run.last_step()}")
        if status != 0:
            return False
    print(f"SIGTERM to exit: {max(took_s):.1f} s at most of {ends} ends (bound {END_S:g} s)")
    return max(took_s) <= END_S


def step_all(run: LongRun) -> bool:
    """Evaluate all rules over all time points, as the monitor does."""
    copy(run.filled, run.state)
    with run.opened(run.config) as (store, holds):
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        messages = batches = 0
        while True:
            messages += len(store.let_time_pass())
            batches += 1
            if not store.behind:
                break
        took_s, took_cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    copy(run.state, run.stepped)
    print(
        f"all rules stepped in {took_s:.0f} s ({took_cpu_s:.0f} s of the processor),"
        f" {batches} transactions, {messages} messages"
    )
    print(f"longest transaction: {holds} (bound {HOLD_S:g} s)")
    return max(holds.wall_s) <= HOLD_S


def commit(run: LongRun, build: Build, rounds: int) -> float:
    """Record frames at the end of the history in a process of a build; return the p95 in ms."""
    copy(run.stepped, run.state)
    take_back_to(build, run.state)
    configure(run.root, build, run.time_points)
    output = build.run(WORKLOAD, run.config_file, run.time_points, rounds, *run.history.names)
    took_ms: dict[str, list[float]] = json.loads(output.splitlines()[-1])
    for step, values in took_ms.items():
        low, high, most = np.percentile(values, [50, 95, 100])
        what = "commit, of the processor" if step == "cpu" else step
        bound = f" (bound of p95: {COMMIT_MS:g} ms)" if step == "commit" else ""
        print(
            f"build {build.name}: {what} of {len(values)} frames: p50 {low:.1f} ms,"
            f" p95 {high:.1f} ms, at most {most:.0f} ms{bound}"
        )
    return float(np.percentile(took_ms["commit"], 95))


def move_day_0(run: LongRun) -> bool:
    """Give the run an earlier start, and update all of it."""
    began_at = datetime.now(UTC) - timedelta(days=11)
    settings = run.config.experiment.model_copy(update={"started_at": began_at})
    with run.opened(run.config.model_copy(update={"experiment": settings})) as (store, holds):
        random = np.random.default_rng(8)
        ticket, frame, result = commit_workload.judged("A1", run.time_points + 10, run.card, random)
        store.claim(ticket)
        files = OverlayFiles(overlay="moved.jpg", stain=None)
        store.commit(ticket, frame, result, files)
        batches = 0
        while True:
            store.let_time_pass()
            batches += 1
            if not store.behind:
                break
    print(f"day 0 moved: longest transaction of {batches + 2}: {holds} (bound {HOLD_S:g} s)")
    return max(holds.wall_s) <= HOLD_S


def wait_until(condition: Any, daemon: "subprocess.Popen[bytes]", within_s: float = 120.0) -> None:
    """Wait for the daemon to reach a state."""
    ends_s = time.monotonic() + within_s
    while not condition():
        if daemon.poll() is not None or time.monotonic() > ends_s:
            sys.exit("the daemon did not begin: see daemon.log")
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
