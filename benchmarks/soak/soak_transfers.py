"""Programs transfer frames into a folder that the daemon watches: each is scored once, complete.

rsync, lftp, aria2, Syncthing, rclone and smbclient (Debian's) transfer nine frames each, slowed
down to some seconds: without interruption, stopped in the middle (SIGSTOP) for longer than
`give_up_s`, and killed in the middle and started again later. The daemon is the real one with its
usual settings, except for a shorter `give_up_s`. Its results are compared with those of the
originals.

    python benchmarks/soak/soak_transfers.py                     # all, about 10 minutes
    python benchmarks/soak/soak_transfers.py --only aria2,rsync  # some programs
    python benchmarks/soak/soak_transfers.py --short             # straight and killed

A program that is not there is named with what to install, and counted. Servers listen on loopback
alone. Nothing of Windows is tried.
"""

import argparse
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from daemon_process import configure, log_of, start
from transfer_frames import (
    FRAMES,
    TRUTH,
    Book,
    Came,
    Original,
    faults,
    judged_otherwise,
    lay_out,
    look,
    make_originals,
)
from transfer_programs import PROGRAMS, Job, Program, Running

MODES = ("straight", "stopped", "killed")
GIVE_UP_S = 8.0
PAUSE_S = GIVE_UP_S + 7.0
MIDDLE = 0.4
TRANSFER_S = 180.0
# Seconds for a rescan, and for reading and scoring all frames beside the other transfers.
SCORED_S = 120.0
CALLS = 3


@dataclass
class Trial:
    """One transfer in one mode, and its results."""

    program: Program
    mode: str
    at_stop: Came | None = None
    given_up: int = 0
    calls: int = 0
    took_s: float = 0.0
    scored_after_s: float = 0.0
    broken: list[str] = field(default_factory=list)

    @property
    def plate(self) -> str:
        """Return the plate of its frames, which is also the name of their folder."""
        return f"{self.program.name}.{self.mode}"

    def __str__(self) -> str:
        stop = ""
        if self.at_stop is not None:
            seen = self.at_stop
            stop = (
                f"  stopped at {100 * seen.share:.0f} % ({seen.whole} whole, {seen.begun} begun"
                f" under their names), {self.given_up} given up meanwhile"
            )
        word = "BROKEN" if self.broken else "kept  "
        return (
            f"{word}  {self.plate:<28} {self.took_s:5.1f} s, all scored"
            f" {self.scored_after_s:4.1f} s later{stop}"
        )


class Laboratory:
    """The daemon, its watched folder, and the originals."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.watched = root / "in"
        self.watched.mkdir()
        self.originals: list[Original] = make_originals(seed)
        self.config = configure(
            root,
            {"kind": "folder", "path": "in", "give_up_s": GIVE_UP_S, "um_per_px": 1.0},
            web={"enabled": False},
            overlays={"stain_tiff": False, "max_px": 256},
            runtime={"burst_wait_s": 0, "log_format": "json"},
        )
        self.book = Book(root / "state" / "scopewatch.db", log_of(self.config))

    def score_originals(self) -> "subprocess.Popen[bytes]":
        """Start the daemon; return it after it has scored the originals."""
        lay_out(self.originals, self.watched / TRUTH, TRUTH)
        daemon = start(self.config)
        if not _until(lambda: self._scored(TRUTH), SCORED_S):
            daemon.kill()
            sys.exit(f"the originals are not scored: {log_of(self.config).read_text()[-2000:]}")
        return daemon

    def try_out(self, trial: Trial) -> Trial:
        """Run one transfer."""
        try:
            self._transfer(trial)
            began_s = time.monotonic()
            _until(lambda: self._scored(trial.plate), SCORED_S)
            trial.scored_after_s = time.monotonic() - began_s
            trial.broken += faults(self.book, trial.plate, trial.plate)
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            trial.broken.append(f"the transfer failed: {error}")
        print(trial, flush=True)
        for line in trial.broken[:6]:
            print(f"        {line}", flush=True)
        return trial

    def _transfer(self, trial: Trial) -> None:
        work = self.root / "work" / trial.plate
        work.mkdir(parents=True)
        job = Job(source=work / "source", target=self.watched / trial.plate, work=work)
        lay_out(self.originals, job.source, trial.plate)
        job.target.mkdir()
        began_s = time.monotonic()
        with ExitStack() as stack:
            if trial.program.serve is not None:
                address = stack.enter_context(trial.program.serve(job))
                job = Job(source=job.source, target=job.target, work=work, address=address)
            running = trial.program.begin(job, False)
            trial.calls = 1
            if trial.mode != "straight":
                _until(lambda: self._half_way(job, trial) or running.over() is not None, TRANSFER_S)
                trial.at_stop = self._stop(running, job, trial)
                if trial.mode == "killed":
                    running.strike(trial.program.dies_by)
                if trial.at_stop.whole == FRAMES:
                    trial.broken.append("it was not stopped in the middle")
                time.sleep(PAUSE_S)
                trial.given_up = len(self.book.refused(trial.plate))
                early = judged_otherwise(self.book, trial.plate)
                trial.broken += [f"while it was stopped {each}" for each in early]
                if trial.mode == "stopped":
                    running.strike(signal.SIGCONT)
                else:
                    running = trial.program.begin(job, True)
                    trial.calls += 1
            _wait_for(running)
            while not running.over() and trial.calls < CALLS:
                running.end()
                running = trial.program.begin(job, True)
                trial.calls += 1
                _wait_for(running)
            came = look(self.originals, job.target, trial.plate)
            trial.took_s = time.monotonic() - began_s
            running.end()
            if came.whole != FRAMES:
                message = f"{came.whole} of {FRAMES} files came whole: see {work}/output.txt"
                raise RuntimeError(message)

    def _stop(self, running: Running, job: Job, trial: Trial) -> Came:
        """Stop it at a moment when no file looks complete but is not; return what is there."""
        while True:
            running.strike(signal.SIGSTOP)
            came = look(self.originals, job.target, trial.plate)
            if not came.nearly:
                return came
            running.strike(signal.SIGCONT)
            time.sleep(0.1)

    def _half_way(self, job: Job, trial: Trial) -> bool:
        return look(self.originals, job.target, trial.plate).share >= MIDDLE

    def _scored(self, plate: str) -> bool:
        try:
            return len(self.book.scored(plate)) == FRAMES
        except sqlite3.OperationalError:
            return False  # the database does not exist yet


def _wait_for(running: Running) -> None:
    _until(lambda: running.over() is not None, TRANSFER_S)


def _until(true: Callable[[], bool], within_s: float) -> bool:
    """Wait until a condition holds; return False where it does not in time."""
    ends_at_s = time.monotonic() + within_s
    while not true():
        if time.monotonic() > ends_at_s:
            return False
        time.sleep(0.25)
    return True


def main() -> int:
    """Transfer, print the figures, and report whether a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="straight and killed alone")
    parser.add_argument("--only", default="", help="programs by name, with commas")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--together", type=int, default=3, help="transfers at the same time")
    parser.add_argument("--keep", type=Path, help="an empty folder that is left for a look")
    args = parser.parse_args()
    names = [each.name for each in PROGRAMS]
    only = [name for name in args.only.split(",") if name]
    if unknown := sorted(set(only) - set(names)):
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(names)}")
    wanted = [each for each in PROGRAMS if not only or each.name in only]
    absent = {each.name: each.missing() for each in wanted if each.missing()}
    modes = ("straight", "killed") if args.short else MODES
    trials = [Trial(each, mode) for each in wanted if each.name not in absent for mode in modes]
    with ExitStack() as stack:
        if args.keep is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-transfers-"))
            root = Path(folder)
        else:
            root = args.keep.resolve()
        laboratory = Laboratory(root, args.seed)
        daemon = laboratory.score_originals()
        try:
            with ThreadPoolExecutor(args.together) as pool:
                list(pool.map(laboratory.try_out, trials))
            died = daemon.poll()
            daemon.send_signal(signal.SIGTERM)
            status = daemon.wait(60)
        finally:
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait()
    for name, packages in absent.items():
        print(f"not run {name}: apt install {' '.join(packages)}")
    broken = sum(bool(each.broken) for each in trials) + (died is not None or status != 0)
    print(f"{len(trials)} transfers of {FRAMES} frames, seed {args.seed}, cpus {os.cpu_count()}")
    print(f"give_up_s {GIVE_UP_S:g}, stopped for {PAUSE_S:g} s; programs not run: {len(absent)}")
    print(f"{broken} broken promises")
    return 1 if broken or not trials else 0


if __name__ == "__main__":
    sys.exit(main())
