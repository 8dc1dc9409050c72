"""What a daemon costs beside its frames: until it is ready, while idle, and how fast it can be.

    python -m benchmarks.paired.at_rest [--baseline COMMIT] [--starts 5] [--idle-s 60] [--frames 60]
        [--without-avx512] [--runtime openvino]

For this tree, and for a baseline beside it:

- seconds and processor time from the start of the process until it is ready, with a history that
  is there already: the median of a few starts, in turns;
- share of a core while it watches an empty folder and serves its dashboard to nobody;
- frames of 2048 x 2048 px a second over many frames that wait, by two threads, while a dashboard is
  open: its pages are asked for every second; and the memory at most.

Meant for a machine that does nothing else: seconds and frames a second depend on its load.
"""

import argparse
import os
import socket
import statistics
import tempfile
import threading
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from benchmarks.paired import hidden_avx512
from benchmarks.paired.builds import Build, baseline, processor, this_build
from benchmarks.paired.compare_builds import make_frames
from benchmarks.paired.following import Following

PAGES = ("/", "/healthz", "/api/status.json")
OPEN_EVERY_S = 1.0
SIDE_PX = 2048
# The default of the configuration.
THREADS = 2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baseline", default=os.environ.get("BASELINE") or None)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--idle-s", type=float, default=60.0)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--without-avx512", action="store_true")
    parser.add_argument("--runtime", help="model.runtime of this tree's daemon")
    call = parser.parse_args()
    hidden = f"; {hidden_avx512.LABEL}" if call.without_avx512 else ""
    runtime = f"; this with {call.runtime}" if call.runtime else ""
    print(f"{processor()}{hidden}{runtime}; load before the run {os.getloadavg()[0]:.2f}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="at-rest-")))
        variables = hidden_avx512.hide_avx512(folder) if call.without_avx512 else {}
        builds = [this_build(variables, call.runtime)]
        if call.baseline:
            builds.append(stack.enter_context(baseline(call.baseline, variables)))
        starts(builds, folder, call.starts)
        for build in builds:
            idle(build, folder / f"{build.name}-idle", call.idle_s)
        frames = make_frames(folder / "frames", 8, SIDE_PX)
        for build in builds:
            sustained(build, folder / f"{build.name}-busy", frames, call.frames)


def starts(builds: list[Build], folder: Path, count: int) -> None:
    """Start each in turns; the first start makes the database and does not count."""
    took: dict[str, list[tuple[float, float]]] = {build.name: [] for build in builds}
    for number in range(count + 1):
        for build in builds:
            daemon = Following(build, folder / f"{build.name}-start", name=build.name, port=_port())
            try:
                seen = daemon.wait_ready()
            finally:
                daemon.stop()
            if number:
                took[build.name].append(seen)
    for name, each in took.items():
        seconds, cpu_s = (statistics.median(part) for part in zip(*each, strict=True))
        print(f"{name:<10} ready after {seconds:.2f} s, {cpu_s:.2f} CPU-s")


def idle(build: Build, folder: Path, seconds: float) -> None:
    """Let it watch an empty folder."""
    daemon = Following(build, folder, name=build.name, port=_port())
    try:
        daemon.wait_ready()
        time.sleep(5)  # what follows the start is no rest
        print(f"{build.name:<10} idle {100 * daemon.idle(seconds):.2f} % of a core")
    finally:
        daemon.stop()


def sustained(build: Build, folder: Path, frames: list[Path], count: int) -> None:
    """Give it many frames at once, with a dashboard open."""
    port = _port()
    daemon = Following(build, folder, name=build.name, port=port, threads=THREADS)
    over = threading.Event()
    page = threading.Thread(target=_look, args=(port, over), daemon=True)
    try:
        daemon.wait_ready()
        daemon.take(frames, 0)
        page.start()
        many = [frames[index % len(frames)] for index in range(count)]
        began_s = time.monotonic()
        cpu_ms = daemon.take(many, len(frames), within_s=10.0 * count)
        rate = count / (time.monotonic() - began_s)
        print(
            f"{build.name:<10} {rate:.2f} frames/s sustained with a dashboard open,"
            f" {cpu_ms:.0f} CPU-ms a frame, {daemon.peak_mb():.0f} MB at most"
        )
    finally:
        over.set()
        daemon.stop()


def _look(port: int, over: threading.Event) -> None:
    """Ask for the pages as an open dashboard does."""
    while not over.wait(OPEN_EVERY_S):
        for page in PAGES:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{page}", timeout=30) as answer:
                answer.read()


def _port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
