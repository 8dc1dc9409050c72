"""Time of a commit in a file (SQLite) and on a server (PostgreSQL), alternated in one run.

    python -m benchmarks.databases [--frames 300]

Both survive a power cut: `synchronous=FULL` there, `fsync` and `synchronous_commit` on here. The
server runs on this machine, from Debian's programs, in a folder beside the file. Each frame is
claimed and committed with its rules and its tile scores, as the worker does it.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median, quantiles

from benchmarks.paired.builds import processor
from scopewatch.app.recording.store import Store
from scopewatch.core.imaging.frame import FrameKey
from tests.conftest import FakeClock
from tests.postgres import running_server
from tests.unit.store.scene import files_of, frame_of, judged, key, open_store, ticket

WELLS = tuple(f"{row}{column}" for row in "ABCDEFGH" for column in range(1, 13))


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return milliseconds that passed, and those of this process's processor time."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)


def commit(store: Store, frame: FrameKey) -> tuple[float, float]:
    """Claim a frame; return the time of its commit."""
    offered, pixels, result = ticket(frame), frame_of(frame), judged(frame, 0.6)
    store.claim(offered)
    return timed(lambda: store.commit(offered, pixels, result, files_of(frame)))


def line(name: str, times: list[tuple[float, float]]) -> str:
    """Describe the times of one database."""
    wall = [each for each, _ in times]
    cpu = [each for _, each in times]
    return (
        f"{name:<12} p50 {median(wall):6.1f} ms   p95 {quantiles(wall, n=20)[-1]:6.1f} ms"
        f"   processor time of the daemon {median(cpu):5.1f} ms"
    )


def main() -> None:
    """Print the times of both."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--frames", type=int, default=300, help="of each database")
    frames = options.parse_args().frames
    times: dict[str, list[tuple[float, float]]] = {"SQLite": [], "PostgreSQL": []}
    with tempfile.TemporaryDirectory() as folder, running_server(safe=True) as server:
        places = {
            "SQLite": Path(folder),
            "PostgreSQL": server.place(server.new_database(server.next_name())),
        }
        with (
            closing(open_store(places["SQLite"], FakeClock())) as file,
            closing(open_store(places["PostgreSQL"], FakeClock())) as served,
        ):
            for number in range(frames):
                name = key(WELLS[number % len(WELLS)], number // len(WELLS))
                for kind, store in (("SQLite", file), ("PostgreSQL", served)):
                    times[kind].append(commit(store, name))
    print(f"{frames} commits each, {processor()}")
    for kind, found in times.items():
        print(line(kind, found))


if __name__ == "__main__":
    main()
