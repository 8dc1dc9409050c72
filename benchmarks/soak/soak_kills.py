"""Kill the daemon at random moments while frames come; every frame must be settled once.

A writer of its own process writes frames in four manners (plain, slow in pieces, renamed into
place, rewritten), and the daemon is SIGKILLed again and again. Then a last daemon works off what
is left, and tries frames once more that were given up since kills struck them under way; the
database and the pictures are looked at from outside.

    python benchmarks/soak/soak_kills.py            # 100 kills, 2,000 frames
    python benchmarks/soak/soak_kills.py --short    # 10 kills, 200 frames

On a machine with other work give `--most-life-s` and `--worked-off-s` more; `--max-attempts 1`
quarantines every frame that was under way at a kill.
"""

import argparse
import io
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import tifffile
from daemon_process import configure, log_of, start
from numpy.typing import NDArray
from PIL import Image

from scopewatch.sources.folder.walk import look_at
from scopewatch_simulator.simulation import Simulation

MANNERS = ("plain", "pieces", "renamed", "rewritten")
SIZE_PX = 128
WELLS = 20
LEAST_LIFE_S = 0.3


def file_name(index: int) -> str:
    """Return the file name of the frame `index`."""
    well = f"{'ABCDEFGH'[index % WELLS // 5]}{index % 5 + 1}"
    return f"P1_{well}_s0_t{index // WELLS:04d}_phase.tif"


def write_frames(folder: Path, frames: int, pause_s: float, seed: int) -> None:
    """Write all frames, in a manner drawn for each."""
    rng = random.Random(seed)
    simulation = Simulation(seed=seed, size_px=SIZE_PX)
    templates = [simulation.frame(0, 0, 0, at) for at in range(8)]
    for index in range(frames):
        target = folder / file_name(index)
        content = encode(templates[index % 8] + np.uint16(index % 50))
        manner = rng.choice(MANNERS)
        if manner == "renamed":
            part = target.with_name(f"{target.name}.part")
            part.write_bytes(content)
            part.rename(target)
        elif manner == "pieces":
            step = len(content) // 4 + 1
            with target.open("wb", buffering=0) as file:
                for start in range(0, len(content), step):
                    file.write(content[start : start + step])
                    time.sleep(pause_s / 2)
        else:
            target.write_bytes(content)
        if manner == "rewritten":
            time.sleep(rng.uniform(0.0, 20 * pause_s))
            target.write_bytes(encode(templates[(index + 1) % 8]))
        time.sleep(pause_s)


def encode(pixels: NDArray[np.uint16]) -> bytes:
    """Return a TIFF of 1 um per pixel."""
    content = io.BytesIO()
    tifffile.imwrite(content, pixels, resolution=(1e4, 1e4), resolutionunit="CENTIMETER")
    return content.getvalue()


def ready_count(config: Path) -> int:
    """Return how often a daemon became ready, from the log."""
    return log_of(config).read_text("utf-8").count('"message": "ready"')


def query(root: Path, statement: str) -> list[tuple[object, ...]]:
    """Query the database; no rows before it exists."""
    database = root / "state" / "scopewatch.db"
    if not database.exists():
        return []
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(statement).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return []  # killed before its first migration
        raise
    finally:
        connection.close()


def open_files(root: Path) -> list[str]:
    """Return the files whose present content is neither settled nor refused."""
    known = {
        (locator, fingerprint)
        for table in ("frames WHERE state NOT IN ('claimed')", "refusals")
        for locator, fingerprint in query(root, f"SELECT locator, fingerprint FROM {table}")
    }
    missing = []
    for path in sorted((root / "in").glob("*.tif")):
        seen = look_at(root / "in", path.name)
        if seen is not None and (seen.locator, seen.fingerprint) not in known:
            missing.append(path.name)
    return missing


def given_up(root: Path) -> list[str]:
    """Return the files that were given up and after which 100 others were settled."""
    due = (
        "SELECT locator FROM frames f WHERE fault = 'failed' AND NOT retried AND 100 <="
        " (SELECT count(*) FROM frames others WHERE others.settled_at > f.settled_at)"
    )
    return [str(locator) for (locator,) in query(root, due)]


def broken_promises(root: Path, frames: int) -> list[str]:
    """Check the final state; return the broken promises."""
    broken = [f"not settled: {name}" for name in open_files(root)]
    broken += [f"given up, and not tried once more: {name}" for name in given_up(root)]
    if query(root, "PRAGMA integrity_check") != [("ok",)]:
        broken.append("integrity_check is not ok")
    if query(root, "PRAGMA foreign_key_check"):
        broken.append("foreign_key_check finds rows without their owner")
    rows = query(
        root,
        "SELECT f.locator, f.state, f.reason, count(r.frame_id) FROM frames f"
        " LEFT JOIN results r ON r.frame_id = f.id GROUP BY f.id",
    )
    each = Counter(str(row[0]) for row in rows)
    refused = Counter(str(row[0]) for row in query(root, "SELECT locator FROM refusals"))
    names = [file_name(index) for index in range(frames)]
    broken += [f"settled {each[n]} times: {n}" for n in names if each[n] + refused[n] != 1]
    for locator, state, reason, results in rows:
        if (state, results) != ("done", 1) and not (
            state == "quarantined" and reason and results in (0, 1)
        ):
            broken.append(f"{state} with {results} results: {locator}")
    named = {
        str(name)
        for column in ("overlay", "stain")
        for (name,) in query(root, f"SELECT {column} FROM results WHERE {column} IS NOT NULL")
    }
    pictures = root / "state" / "overlays"
    on_disk = {str(path.relative_to(pictures)) for path in pictures.rglob("*") if path.is_file()}
    broken += [f"picture without result: {name}" for name in sorted(on_disk - named)]
    broken += [f"result without picture: {name}" for name in sorted(named - on_disk)]
    for name in sorted(on_disk & named):
        if name.endswith(".jpg"):
            with Image.open(pictures / name) as picture:
                picture.load()
    temporary = [path for path in (root / "state").rglob("*") if path.suffix in {".part", ".tmp"}]
    return broken + [f"temporary file left: {path}" for path in temporary]


def run(root: Path, args: argparse.Namespace) -> list[str]:
    """Write frames and kill the daemon; return the broken promises."""
    kills, frames, seed, pause_s = args.kills, args.frames, args.seed, args.pause_s
    began_s, rng = time.monotonic(), random.Random(seed)
    (root / "in").mkdir()
    config = configure(
        root,
        {"kind": "folder", "path": "in", "settle_s": 0.2, "give_up_s": 5},
        web={"enabled": False},
        runtime={
            "burst_wait_s": 0,
            "rescan_s": 1,
            "log_format": "json",
            "max_attempts": args.max_attempts,
        },
    )
    writer = subprocess.Popen(
        [
            sys.executable,
            __file__,
            "--write-to",
            str(root / "in"),
            "--frames",
            str(frames),
            "--seed",
            str(seed),
            "--pause-s",
            str(pause_s),
        ]
    )
    readies, daemon = 0, start(config)
    struck = Counter[str]()
    try:
        for _ in range(kills):
            time.sleep(rng.uniform(LEAST_LIFE_S, args.most_life_s))
            if daemon.poll() is not None:
                return [f"the daemon ended by itself with {daemon.returncode}"]
            daemon.send_signal(signal.SIGKILL)
            daemon.wait()
            claimed = query(root, "SELECT count(*) FROM frames WHERE state = 'claimed'")
            struck["with a frame under way" if claimed and claimed[0][0] else "between frames"] += 1
            readies = ready_count(config)
            daemon = start(config)
        if writer.wait() != 0:
            return ["the writer failed"]
        killed_s = time.monotonic() - began_s
        while time.monotonic() - began_s < killed_s + args.worked_off_s:
            if not (open_files(root) or given_up(root)):
                break
            time.sleep(0.5)
        while ready_count(config) == readies and daemon.poll() is None:
            time.sleep(0.1)  # an earlier signal ends it without a log line
        daemon.send_signal(signal.SIGTERM)
        clean = daemon.wait(30)
    finally:
        for process in (writer, daemon):
            if process.poll() is None:
                process.kill()
                process.wait()
    states = dict(query(root, "SELECT state, count(*) FROM frames GROUP BY state"))
    attempts = query(root, "SELECT max(attempts), sum(attempts > 1) FROM frames")
    print(f"kills {kills} ({dict(struck)}), frames {frames}, seed {seed}")
    print(f"runs of up to {args.most_life_s:g} s, attempts {args.max_attempts}")
    print(f"states {states}, refused {len(query(root, 'SELECT id FROM refusals'))}")
    print(f"most attempts and frames tried again {attempts}")
    again = query(root, "SELECT state, count(*) FROM frames WHERE retried GROUP BY state")
    print(f"given up, and what became of them when tried once more {dict(again)}")
    print(
        f"killing {killed_s:.0f} s, whole {time.monotonic() - began_s:.0f} s, cpus {os.cpu_count()}"
    )
    return broken_promises(root, frames) + ([] if clean == 0 else [f"it ended with {clean}"])


def main() -> int:
    """Run, print the figures, and report whether a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="10 kills, 200 frames")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--frames", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pause-s", type=float, default=0.035, help="between two frames")
    parser.add_argument("--most-life-s", type=float, default=5.0, help="before a kill")
    parser.add_argument("--worked-off-s", type=float, default=300.0, help="wait at the end")
    parser.add_argument("--max-attempts", type=int, default=2, help="as runtime.max_attempts")
    parser.add_argument("--write-to", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.frames = args.frames or (200 if args.short else 2000)
    if args.write_to is not None:
        write_frames(args.write_to, args.frames, args.pause_s, args.seed)
        return 0
    args.kills = args.kills or (10 if args.short else 100)
    with tempfile.TemporaryDirectory(prefix="soak-kills-") as folder:
        broken = run(Path(folder), args)
    for line in broken[:20]:
        print(f"BROKEN {line}")
    print(f"{len(broken)} broken promises")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
