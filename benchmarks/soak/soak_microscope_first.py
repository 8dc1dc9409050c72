"""Whether scopewatch delays the microscope: frame intervals with it and without it.

    python benchmarks/soak/soak_microscope_first.py [--short] [--rounds 24] [--frames 400]
        [--rest-s 6] [--within-s 3600] [--no-waiting]

One Micro-Manager core with its demo camera acquires at the highest rate it gives, through
pycro-manager, in alternating rounds: without scopewatch, and with the daemon following the data
sets and scoring what it can, as a process of its own with the priority of the shipped unit and the
default settings (except for the dashboard, which is off). All intervals of a round count. In rounds
without scopewatch the daemon is stopped, and the images go to a folder that it does not watch.
Every second pair of rounds begins with the other kind.

After a round with scopewatch the daemon has --rest-s seconds to score; it scores the remaining
frames during the next rounds, or has to wait again. --no-waiting sets `runtime.burst_wait_s: 0`:
scoring beside the bursts, for comparison.

Intervals are between saved images. The machine must be otherwise idle: the load before the run is
printed, and a pair of rounds beside which other processes took more than a twentieth of a core
does not count, whatever came out, and is repeated, until --within-s have passed; such pairs are
shown apart. Exits with 1 where the p99 with scopewatch is more than 5 % above the p99 without, or
no pair counts.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
from daemon_process import BUNDLE, configure, log_of, start, unit_environment
from numpy.typing import NDArray
from rounds import MOST, RESAMPLED, read_call

from scopewatch.config.models import ModelConfig
from scopewatch.demo.microscope import demo_core
from scopewatch_simulator.simulation import Simulation

# The first frames of a data set open files and start threads.
SETTLING = 20
# As Nice= in systemd/scopewatch.service.
NICE = 5
READY_S = 60.0
# Share of a core that other processes may use beside a pair of rounds.
OTHERS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A round without and one with the daemon: intervals in ms, and the load by other processes."""

    without: NDArray[np.float64]
    beside: NDArray[np.float64]
    others_s: float

    @property
    def undisturbed(self) -> bool:
        """Whether other processes left both rounds undisturbed."""
        return 1e3 * self.others_s <= OTHERS * float(self.without.sum() + self.beside.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The results of the rounds.

    Parameters
    ----------
    bursts
        Start and end of the acquisition of each round with scopewatch, in seconds of the epoch.
    scored
        Time of each score, in seconds of the epoch.
    """

    pairs: list[Pair]
    bursts: list[tuple[float, float]]
    scored: list[float]

    @property
    def scored_meanwhile(self) -> int:
        """Return how many frames were scored during acquisitions."""
        return sum(any(began <= at <= over for began, over in self.bursts) for at in self.scored)


def main() -> int:
    """Alternate the rounds and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rest-s", type=float, default=6.0, help="after each round with it")
    parser.add_argument("--within-s", type=float, default=3600.0, help="then no more rounds")
    parser.add_argument("--no-waiting", action="store_true", help="runtime.burst_wait_s: 0")
    call = read_call(
        parser, rounds=24, short=3, short_help="3 rounds of each kind", of="frames", count=400
    )
    runtime = {"log_format": "json", **({"burst_wait_s": 0} if call.asked.no_waiting else {})}
    with tempfile.TemporaryDirectory(prefix="scopewatch-soak-") as folder:
        taken = alternate(Path(folder), call.rounds, call.count, call.asked, runtime)
    call.print_machine()
    how = "scoring beside the bursts" if call.asked.no_waiting else "settings as they come"
    print(f"{len(taken.pairs)} rounds of {call.count} frames each way, {how}")
    meanwhile = taken.scored_meanwhile
    print(
        f"{meanwhile} frames were scored while images were taken, {len(taken.scored) - meanwhile}"
        f" between the rounds, of {len(taken.bursts) * call.count} that it followed"
    )
    counting = [pair for pair in taken.pairs if pair.undisturbed]
    disturbed = [pair for pair in taken.pairs if not pair.undisturbed]
    if disturbed:
        print("== rounds beside which others used the machine, which do not count")
        compare(disturbed)
        print("== rounds that count")
    if not counting:
        print("UNDECIDED: no pair of rounds had the machine for itself")
        return 1
    kept = compare(counting) <= MOST
    print("the microscope comes first" if kept else f"BROKEN: p99 beyond x {MOST}")
    return 0 if kept else 1


def compare(pairs: list[Pair]) -> float:
    """Print the figures of some pairs; return the ratio of the p99."""
    without, beside = [pair.without for pair in pairs], [pair.beside for pair in pairs]
    seconds = sum(float(each.sum()) for each in (*without, *beside)) / 1e3
    others = sum(pair.others_s for pair in pairs) / seconds
    print(f"{len(pairs)} rounds each way, others used {others:.2f} cores")
    for name, each in (("without scopewatch", without), ("with scopewatch", beside)):
        p50, p99 = np.percentile(np.concatenate(each), (50, 99))
        print(f"{name:<20} p50 {p50:7.3f} ms   p99 {p99:7.3f} ms")
    for q in (50, 99):
        low, high = spread(without, beside, q)
        print(f"ratio of the p{q}: {ratio(without, beside, q):.3f} (95 % {low:.3f} to {high:.3f})")
    return ratio(without, beside, 99)


def alternate(
    root: Path, rounds: int, frames: int, asked: argparse.Namespace, runtime: dict[str, object]
) -> Taken:
    """Take images without and with the daemon."""
    folders = {watched: root / ("watched" if watched else "unwatched") for watched in (True, False)}
    for folder in folders.values():
        folder.mkdir()
    config = configure(
        root,
        {"kind": "ndtiff", "path": str(folders[True]), "um_per_px": 1.0},
        threads=ModelConfig(bundle=BUNDLE).threads,
        web={"enabled": False},
        runtime=runtime,
    )
    log = log_of(config)
    pairs: list[Pair] = []
    bursts: list[tuple[float, float]] = []
    with demo_core():
        field = Simulation(seed=3, size_px=512).frame(0, 0, 0, 20)
        daemon = start(config, ("nice", "-n", str(NICE)), unit_environment())
        try:
            wait_ready(log, daemon)
            ends_at = time.monotonic() + asked.within_s
            while sum(pair.undisturbed for pair in pairs) < rounds and time.monotonic() < ends_at:
                others_s = 0.0
                taken: dict[bool, NDArray[np.float64]] = {}
                for watched in (True, False) if len(bursts) % 2 else (False, True):
                    daemon.send_signal(signal.SIGCONT if watched else signal.SIGSTOP)
                    began, before = time.time(), used_s(daemon.pid)
                    taken[watched] = acquire(folders[watched], frames, field)
                    others_s += grown_s(before, used_s(daemon.pid))
                    if watched:
                        bursts.append((began, time.time()))
                        wait_scored(log, len(bursts) * frames, asked.rest_s)
                pairs.append(Pair(without=taken[False], beside=taken[True], others_s=others_s))
        finally:
            with suppress(ProcessLookupError):
                daemon.send_signal(signal.SIGCONT)
            daemon.terminate()
            daemon.wait(30)
    scored = scored_at(log)
    if not scored:
        sys.exit(f"the daemon scored nothing: {log.read_text(encoding='utf-8')[-1000:]}")
    return Taken(pairs=pairs, bursts=bursts, scored=scored)


def used_s(besides: int) -> dict[str, float]:
    """Return the processor time (s) of each other process, with children that ended."""
    used: dict[str, float] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) not in (os.getpid(), besides):
            with suppress(OSError):
                fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                # Field 23 of proc(5) is the size of the memory, 0 for kernel threads.
                if int(fields[20]) > 0:
                    ticks = sum(int(each) for each in fields[11:15])
                    used[folder.name] = ticks / os.sysconf("SC_CLK_TCK")
    return used


def grown_s(before: dict[str, float], now: dict[str, float]) -> float:
    """Return the seconds used between two readings; a process that ended does not reduce them."""
    return sum(max(0.0, used - before.get(name, 0.0)) for name, used in now.items())


def wait_scored(log: Path, frames: int, at_most_s: float) -> None:
    """Wait for the daemon to score, for a limited time."""
    ends_at = time.monotonic() + at_most_s
    while time.monotonic() < ends_at and len(scored_at(log)) < frames:
        time.sleep(0.5)


def scored_at(log: Path) -> list[float]:
    """Return when each frame was scored, in seconds of the epoch."""
    lines = log.read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines if '"frame scored"' in line]
    return [datetime.fromisoformat(entry["time"]).timestamp() for entry in entries]


def acquire(data: Path, frames: int, field: NDArray[np.uint16]) -> NDArray[np.float64]:
    """Take frames at full speed; return the intervals between saved images in ms.

    The camera's pixels are replaced by those of a simulated field, both with scopewatch and
    without: the camera's own test pattern would be quarantined before the model has any work.
    """
    from pycromanager import Acquisition  # noqa: PLC0415  an extra of its own

    moments: list[float] = []
    acquisition = Acquisition(
        directory=str(data),
        name="fast",
        image_process_fn=lambda _image, metadata: (field, metadata),
        image_saved_fn=lambda _axes, _data_set: moments.append(time.perf_counter()),
    )
    for index in range(frames):
        # One event per call: events submitted together merge into a hardware sequence.
        axes = {"time": index, "position": "A1-Site_0", "channel": "phase"}
        acquisition.acquire([{"axes": axes, "exposure": 1}])
    writer = acquisition.get_dataset().current_writer
    acquisition.mark_finished()
    acquisition.await_completion()
    if writer is not None:
        writer.reader.close()  # ndstorage 0.1.18 leaves it open
    acquisition.get_dataset().close()
    if len(moments) != frames:
        sys.exit(f"the acquisition saved {len(moments)} of {frames} images")
    return np.array([1e3 * (late - early) for early, late in pairwise(moments[SETTLING:])])


def wait_ready(log: Path, daemon: "subprocess.Popen[bytes]") -> None:
    """Wait until the daemon is ready."""
    ends_at = time.monotonic() + READY_S
    while "source watching" not in log.read_text(encoding="utf-8"):
        if daemon.poll() is not None or time.monotonic() > ends_at:
            sys.exit(f"the daemon does not start: {log.read_text(encoding='utf-8')[-500:]}")
        time.sleep(0.2)


def ratio(without: list[NDArray[np.float64]], beside: list[NDArray[np.float64]], q: float) -> float:
    """Return the ratio of a percentile with scopewatch to the one without."""
    pooled = (np.percentile(np.concatenate(taken), q) for taken in (beside, without))
    upper, lower = pooled
    return float(upper / lower)


def spread(
    without: list[NDArray[np.float64]], beside: list[NDArray[np.float64]], q: float
) -> tuple[float, float]:
    """Return the 95 % interval of the ratio, over rounds: frames of a round are correlated."""
    rng = np.random.default_rng(1)
    ratios = []
    for _ in range(RESAMPLED):
        picks = rng.integers(len(without), size=len(without))
        ratios.append(ratio([without[i] for i in picks], [beside[i] for i in picks], q))
    low, high = np.percentile(ratios, (2.5, 97.5))
    return float(low), float(high)


if __name__ == "__main__":
    sys.exit(main())
