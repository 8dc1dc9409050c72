"""A daemon's process as seen from outside: its memory, descriptors, processor time and pages."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from benchmarks.history.plate_on_disk import Plate
from benchmarks.soak.daemon_process import log_of, unit_environment

MOST_GROWTH: Final = 0.10
# Five connections of a pool stay open once they were needed, with two descriptors each.
POOLED: Final = 10
PAGES: Final = {
    "plate": "/",
    "well": "/wells/{run}/P1/A1",
    "alerts": "/alerts",
    "health": "/healthz",
}
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_LOOKS: Final = 5
_READY_S: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Memory and descriptors after a number of frames.

    Parameters
    ----------
    rss_mb
        The most that was resident since the sample before: what a frame or a page needs for a
        moment counts, and whether the heap was given back a moment ago does not.
    """

    settled: int
    rss_mb: float
    descriptors: int

    def __str__(self) -> str:
        """Both in words."""
        return f"{self.rss_mb:.1f} MB, {self.descriptors} descriptors"


@dataclass
class Growth:
    """The samples of a run: what grew after the warm-up.

    Parameters
    ----------
    warm_up
        Frames that fill caches, pools and the interpreter's arena.
    compared
        Samples from then on, the highest of which all later ones are compared with: as many as it
        takes until each kind of work was in one of them.
    """

    warm_up: int
    compared: int = 1
    warm: Sample | None = None
    newest: Sample | None = None
    most_mb: float = 0.0
    most_descriptors: int = 0

    def add(self, sample: Sample) -> None:
        """Take a sample into account."""
        self.newest = sample
        if sample.settled < self.warm_up:
            return
        if self.compared > 0:
            self.compared -= 1
            if self.warm is None or sample.rss_mb > self.warm.rss_mb:
                self.warm = sample
        self.most_mb = max(self.most_mb, sample.rss_mb)
        self.most_descriptors = max(self.most_descriptors, sample.descriptors)

    def broken(self) -> list[str]:
        """Return what grew more than it may."""
        if self.warm is None:
            return [f"the run has fewer than {self.warm_up} frames: growth cannot be judged"]
        broken = []
        if self.most_mb > (1 + MOST_GROWTH) * self.warm.rss_mb:
            broken.append(f"memory grew from {self.warm.rss_mb:.1f} to {self.most_mb:.1f} MB")
        if self.most_descriptors > self.warm.descriptors + POOLED:
            broken.append(
                f"descriptors grew from {self.warm.descriptors} to {self.most_descriptors}"
            )
        return broken

    def __str__(self) -> str:
        """The figures."""
        if self.warm is None:
            return "no sample after the warm-up"
        growth = self.most_mb / self.warm.rss_mb - 1
        return (
            f"after {self.warm.settled} frames {self.warm}; at most {self.most_mb:.1f} MB"
            f" ({growth:+.1%}, allowed {MOST_GROWTH:+.0%}), {self.most_descriptors} descriptors;"
            f" at the end {self.newest}"
        )


@dataclass
class Watched:
    """A daemon that runs as a process of its own."""

    process: "subprocess.Popen[bytes]"
    log: Path
    run: str
    url: str = field(default="")

    @classmethod
    def start(cls, plate: Plate, config: Path) -> Self:
        """Start the daemon of a configuration on the plate's clock; wait until it is ready."""
        log = log_of(config)
        seen = log.stat().st_size if log.exists() else 0
        with log.open("ab") as opened:
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.history.fast_daemon", plate.clock, config],
                stdout=opened,
                stderr=subprocess.STDOUT,
                env={**os.environ, **unit_environment()},
            )
        daemon = cls(process, log, plate.run)
        ends_s = time.monotonic() + _READY_S
        while not daemon.url:
            daemon.expect_alive()
            if time.monotonic() > ends_s:
                sys.exit(f"the daemon did not get ready: see {log}")
            time.sleep(0.1)
            text = log.read_bytes()[seen:].decode("utf-8")
            found = re.search(r"http://127\.0\.0\.1:\d+", text)
            daemon.url = found.group() if found else ""
        return daemon

    def expect_alive(self) -> None:
        """Exit where the daemon has ended."""
        if self.process.poll() is not None:
            end = self.log.read_text("utf-8")[-2000:]
            sys.exit(f"the daemon ended with {self.process.returncode}:\n{end}")

    def cpu_s(self) -> float:
        """Return the processor time of all its threads."""
        stat = self._proc("stat").read_text("ascii").rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / _TICKS_PER_S

    def sample(self, settled: int) -> Sample:
        """Read the peak of memory since the last sample, and descriptors."""
        status = self._proc("status").read_text("ascii")
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        # The next peak is measured from here on: proc_pid_clear_refs(5).
        self._proc("clear_refs").write_text("5", "ascii")
        # A file that is open for a moment is missing in some looks; a leaked one is in all.
        looks = [sum(1 for _ in self._proc("fd").iterdir()) for _ in range(_LOOKS)]
        return Sample(settled=settled, rss_mb=int(line.split()[1]) / 1024, descriptors=min(looks))

    def look(self) -> dict[str, float]:
        """Ask for each page; return the milliseconds that each took."""
        took = {}
        for name, path in PAGES.items():
            began_s = time.perf_counter()
            try:
                with urllib.request.urlopen(
                    self.url + path.format(run=self.run), timeout=60
                ) as answer:
                    answer.read()
            except urllib.error.HTTPError as error:
                # The health check answers so where nobody may rely on the daemon.
                print(f"{path}: {error.code} {error.read().decode()[:200]}", flush=True)
            took[name] = 1000 * (time.perf_counter() - began_s)
        return took

    def end(self) -> tuple[float, int]:
        """Send SIGTERM; return the seconds until the exit, and its status."""
        began_s = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(600)
        return time.perf_counter() - began_s, status

    def kill(self) -> None:
        """End it at once where it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _proc(self, name: str) -> Path:
        return Path("/proc") / str(self.process.pid) / name
