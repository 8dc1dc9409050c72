"""Export and retention of a long history, each in a process of its own: time and peak memory.

python -m benchmarks.history.streaming retain FOLDER KEEP_GB
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from scopewatch.config import OverlayConfig
from scopewatch.store.files.retention import retain

SIZE_BYTES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """What a process took."""

    cpu_s: float
    peak_mb: float
    size_mb: float = 0.0


def export(config: Path, form: str, to: Path) -> Streamed:
    """Export a history by the command."""
    took = _run("scopewatch", "export", "--config", config, "--format", form, "--out", to)
    size_mb = to.stat().st_size / 1e6
    to.unlink()
    return Streamed(cpu_s=took.cpu_s, peak_mb=took.peak_mb, size_mb=size_mb)


def make_pictures(folder: Path, count: int) -> None:
    """Write so many small pictures, 500 a folder, one a second from an hour on."""
    at_s = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    for number in range(count):
        path = folder / f"run/w{number // 500}/p1_t{number % 500:04d}_s0.jpg"
        if number % 500 == 0:
            path.parent.mkdir(parents=True)
        path.write_bytes(bytes(SIZE_BYTES))
        os.utime(path, (at_s + number, at_s + number))


def remove_pictures(folder: Path, keep_gb: float) -> Streamed:
    """Remove the oldest pictures beyond a limit."""
    return _run("benchmarks.history.streaming", "retain", folder, str(keep_gb))


def _run(module: str, *arguments: str | Path) -> Streamed:
    began_s = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)], stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        raise RuntimeError(f"{module} {arguments[0]} ended with {status}")
    print(f"  {module} {arguments[0]}: {time.perf_counter() - began_s:.0f} s", flush=True)
    return Streamed(cpu_s=used.ru_utime + used.ru_stime, peak_mb=used.ru_maxrss / 1024)


if __name__ == "__main__":
    _, _, folder, limit = sys.argv
    options = OverlayConfig(keep_days=None, keep_gb=float(limit))
    print(retain(Path(folder), options, datetime.now(UTC)))
