"""A real daemon of one build that watches a folder: CPU time from file closed to committed."""

import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import yaml

from benchmarks.paired.builds import Build

# clock_getcpuclockid(3): the low bits select the clock of processor time.
_CPU_CLOCK = 2
_SETTLED = "SELECT count(*) FROM frames WHERE settled_at IS NOT NULL"


class Following:
    """One daemon that runs over all rounds.

    Parameters
    ----------
    root
        Its folder, with the watched folder, state and log.
    port
        Of its dashboard; None: it has none.
    threads
        Of an invoke.
    """

    def __init__(
        self, build: Build, root: Path, *, name: str, port: int | None = None, threads: int = 1
    ) -> None:
        self.name = name
        self._incoming = root / "in"
        self._database = root / "state" / "scopewatch.db"
        self._log = root / "daemon.log"
        self._incoming.mkdir(parents=True, exist_ok=True)
        config = root / "config.yaml"
        config.write_text(yaml.safe_dump(_settings(build, port, threads)), encoding="utf-8")
        self._started_s = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "scopewatch", "run", "-c", str(config)],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=build.environ,
            )
        self._settled = 0

    def take(self, frames: Sequence[Path], first: int, within_s: float = 120.0) -> float:
        """Move files in and wait until all are settled; return CPU milliseconds per frame."""
        before_s = self._cpu_s()
        for index, frame in enumerate(frames):
            shutil.copyfile(frame, self._incoming / f"P1_A1_s0_t{first + index:05d}_phase.tif")
        self._settled += len(frames)
        deadline = time.monotonic() + within_s
        while self._count() < self._settled:
            if self._process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{self.name} did not settle its frames: see {self._log}")
            time.sleep(0.1)
        return 1e3 * (self._cpu_s() - before_s) / len(frames)

    def wait_ready(self, within_s: float = 60.0) -> tuple[float, float]:
        """Wait until it is ready; return the seconds since its start, and its CPU seconds."""
        deadline = time.monotonic() + within_s
        while not any(b" ready" in line for line in self._log.read_bytes().splitlines()):
            if self._process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{self.name} did not become ready: see {self._log}")
            time.sleep(0.01)
        return time.monotonic() - self._started_s, self._cpu_s()

    def idle(self, seconds: float) -> float:
        """Return the share of a core that it uses while no frame comes."""
        before_s = self._cpu_s()
        time.sleep(seconds)
        return (self._cpu_s() - before_s) / seconds

    def peak_mb(self) -> float:
        """Return its peak memory so far."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024

    def stop(self) -> None:
        """Stop it cleanly."""
        self._process.terminate()
        self._process.wait(timeout=60)

    def _count(self) -> int:
        if not self._database.exists():
            return 0
        try:
            with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as reader:
                (count,) = reader.execute(_SETTLED).fetchone()
        except sqlite3.OperationalError:
            return 0  # its tables are being created
        return int(count)

    def _cpu_s(self) -> float:
        return cpu_s_of(self._process.pid)


def cpu_s_of(pid: int) -> float:
    """Return the processor time of a process until now, all threads together."""
    # The kernel's clock of a process: /proc counts in ticks of 10 ms.
    return time.clock_gettime((~pid << 3) | _CPU_CLOCK)


def _settings(build: Build, port: int | None, threads: int) -> dict[str, object]:
    web = {"enabled": False} if port is None else {"enabled": True, "port": port}
    return {
        "experiment": {"name": "paired", "day_from": "time_point", "simulated": True},
        "model": {
            "bundle": str(build.model),
            "threads": threads,
            **({"runtime": build.runtime} if build.runtime else {}),
        },
        "sources": [{"kind": "folder", "path": "in", "settle_s": 0.2}],
        "state": {"folder": "state"},
        "web": web,
        "runtime": {"burst_wait_s": 0},
    }
