"""A whole differentiation through the real daemon: 14 days x 96 wells, a frame each 15 minutes.

    python -m benchmarks.history.whole_run [--days 14] [--folder FOLDER]

129,024 simulated frames of 128 px are written as a microscope writes them, a time point after the
other, and the clock of the daemon moves ahead with each: from its point of view the run takes 14
days, and the machine sleeps between the time points. Rules are on, messages go to a webhook, and
the dashboard is looked at every tenth time point. Prints a line for each tenth of the run, and
exits with 1 where a promise is broken:

- memory stays within a tenth of what it was after 5,000 frames; descriptors grow by no more than
  the connections that a pool of the database keeps;
- each frame has one row and one result, and none is missing or refused;
- SIGTERM ends the daemon within 5 s in the middle of the last time point; the next start scores the
  rest of it.

The cost of a frame is printed for each tenth (processor time of the whole process, the pages that
were asked for included), so that what grows with the history is seen.
"""

import argparse
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.history.plate_on_disk import Plate, configure
from benchmarks.history.process_watch import Growth, Watched
from benchmarks.history.webhook import Webhook, webhook
from benchmarks.paired.builds import processor

END_S = 5.0
WARM_UP = 5_000
POLL_EVERY = 10
LOOK_S = 0.05
STALLED_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a part of the run took, per frame and per page."""

    frames: int
    cpu_s: float
    wall_s: float
    pages_ms: dict[str, float]

    def __str__(self) -> str:
        """One line."""
        pages = ", ".join(f"{name} {ms:.0f}" for name, ms in self.pages_ms.items())
        return (
            f"{1000 * self.cpu_s / self.frames:.1f} ms CPU per frame,"
            f" {self.frames / self.wall_s:.1f} frames/s; pages in ms: {pages}"
        )


def main() -> int:
    """Run, print the figures, and report whether a promise was broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=float, default=14.0)
    parser.add_argument("--wells", type=int, default=96)
    parser.add_argument("--interval-h", type=float, default=0.25)
    parser.add_argument("--parts", type=int, default=10, help="how many lines are printed")
    parser.add_argument(
        "--at-most-min", type=float, default=float("inf"), help="then it ends early"
    )
    parser.add_argument("--folder", type=Path, help="where its files lie; removed at the end")
    call = parser.parse_args()
    time_points = round(call.days * 24 / call.interval_h)
    root = Path(tempfile.mkdtemp(prefix="scopewatch-whole-run-", dir=call.folder))
    print(
        f"{call.wells} wells x {time_points} time points = {call.wells * time_points} frames of"
        f" 128 px, {processor()}",
        flush=True,
    )
    try:
        with webhook() as messages:
            plate = Plate(root, wells=call.wells, interval_h=call.interval_h)
            parts = [
                range(*(((time_points - 1) * each // call.parts) for each in (part, part + 1)))
                for part in range(call.parts)
            ]
            broken = run(plate, parts, messages, time.monotonic() + 60 * call.at_most_min)
    finally:
        shutil.rmtree(root)
    for line in broken:
        print(f"BROKEN: {line}")
    return 1 if broken else 0


def run(plate: Plate, parts: Sequence[range], messages: Webhook, ends_s: float) -> list[str]:
    """Take the time points of all parts, or those until a moment; return the broken promises."""
    config = configure(plate, messages.url)
    daemon = Watched.start(plate, config)
    growth = Growth(warm_up=WARM_UP, compared=POLL_EVERY)
    try:
        for part in parts:
            done = take(plate, daemon, growth, part, ends_s)
            taken = part.start + done.frames // plate.wells
            print(f"{taken * plate.wells:>7} frames {growth.newest}: {done}", flush=True)
            if taken < part.stop:
                print(f"ends early, after {taken + 1} of {parts[-1].stop + 1} time points")
                break
        plate.take(taken)
        time_points = taken + 1
        settle(plate, daemon, (time_points - 0.5) * plate.wells)
        end_s, status = daemon.end()
        restarted = Watched.start(plate, config)
        try:
            settle(plate, restarted, time_points * plate.wells)
        finally:
            restarted.end()
    finally:
        daemon.kill()
    print(growth)
    print(f"SIGTERM to exit: {end_s:.2f} s, status {status} (bound {END_S:g} s)")
    print(f"{messages.received} messages received")
    broken = growth.broken() + lost_or_doubled(plate, time_points)
    if status != 0 or end_s > END_S:
        broken.append(f"the daemon ended with {status} after {end_s:.1f} s")
    return broken


def take(plate: Plate, daemon: Watched, growth: Growth, time_points: range, ends_s: float) -> Part:
    """Take some time points; each is written once the one before the last is settled."""
    before, began_s = daemon.cpu_s(), time.perf_counter()
    pages: dict[str, list[float]] = {}
    taken = time_points.start
    for time_point in time_points:
        if time.monotonic() > ends_s and taken > time_points.start:
            break
        plate.take(time_point)
        taken += 1
        settle(plate, daemon, time_point * plate.wells)
        if time_point % POLL_EVERY == POLL_EVERY - 1:
            for name, ms in daemon.look().items():
                pages.setdefault(name, []).append(ms)
        growth.add(daemon.sample(time_point * plate.wells))
    settle(plate, daemon, taken * plate.wells)
    return Part(
        frames=(taken - time_points.start) * plate.wells,
        cpu_s=daemon.cpu_s() - before,
        wall_s=time.perf_counter() - began_s,
        pages_ms={name: sorted(each)[len(each) // 2] for name, each in pages.items()},
    )


def settle(plate: Plate, daemon: Watched, count: float) -> None:
    """Wait until so many frames are settled. Exits after a long time without progress."""
    before, still = plate.settled(), 0
    while before < count:
        daemon.expect_alive()
        # Looks are counted, not seconds: a machine that slept has not stalled.
        if still * LOOK_S > STALLED_S:
            sys.exit(f"only {before} of {count:g} frames were settled")
        time.sleep(LOOK_S)
        now = plate.settled()
        still = 0 if now > before else still + 1
        before = now


def lost_or_doubled(plate: Plate, time_points: int) -> list[str]:
    """Compare the database with the files that were written; return what is wrong."""
    written = {plate.locator(well, at) for at in range(time_points) for well in plate.names}
    with closing(sqlite3.connect(plate.database)) as connection:
        rows = connection.execute(
            "SELECT locator, state, count(results.frame_id) FROM frames"
            " LEFT JOIN results ON results.frame_id = frames.id GROUP BY frames.id"
        ).fetchall()
        (refused,) = connection.execute("SELECT count(*) FROM refusals").fetchone()
        (size,) = connection.execute(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        ).fetchone()
    seen = [Path(locator).name for locator, *_ in rows]
    became = Counter((state, results) for _, state, results in rows)
    unfit = became["quarantined", 0]
    unsettled = len(rows) - became["done", 1] - unfit
    lost, doubled = len(written - set(seen)), len(seen) - len(set(seen))
    print(
        f"{len(written)} frames written: {lost} lost, {doubled} doubled, {refused} refused,"
        f" {unsettled} neither scored nor unfit, {unfit} unfit;"
        f" {size / len(written):.0f} bytes of database a frame"
    )
    wrong = {
        "frames are lost": lost,
        "frames have two rows": doubled,
        "files are refused": refused,
        "frames are neither scored nor unfit": unsettled,
    }
    return [f"{count} {what}" for what, count in wrong.items() if count]


if __name__ == "__main__":
    sys.exit(main())
