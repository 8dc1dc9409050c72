"""The nine frames of a transfer: their originals, their progress, their results.

The originals go into the watched folder once, complete, under a plate of their own. The result of a
transferred frame is compared with that of its original: all measures of the image and every tile.
Half a frame, or one of zeros, differs in all of them.
"""

import io
import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from scopewatch_simulator.simulation import Simulation

FRAMES = 9
SIZE_PX = 1024
TRUTH = "originals"
_BLOCK = 4096
_MEASURED = (
    "SELECT w.name, f.time_point, f.state, f.reason, r.pixel_size_um, r.efficiency, r.measures,"
    " t.probability, t.valid FROM frames f JOIN wells w ON w.id = f.well_id"
    " LEFT JOIN results r ON r.frame_id = f.id LEFT JOIN tile_scores t ON t.frame_id = f.id"
    " WHERE w.plate = ?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """One frame as a file; `name` is the file name after the plate."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """The state of a destination.

    Parameters
    ----------
    whole
        Number of files with all of their content under their own name.
    begun
        Number of files under their own name without all of their content.
    nearly
        Whether one of those lacks less than a reader can detect (`readers.holes`).
    share
        Share of all content that is there, hidden and temporary files included; 0 to 1.
    """

    whole: int
    begun: int
    nearly: bool
    share: float


def make_originals(seed: int) -> list[Original]:
    """Make the frames, 16 bit: uncompressed TIFF, LZW TIFF and PNG; strips or tiles."""
    simulation = Simulation(seed=seed, size_px=SIZE_PX)
    kinds = (("tif", None), ("tif", "lzw"), ("png", None))
    parts: tuple[dict[str, Any], ...] = ({}, {"rowsperstrip": 64}, {"tile": (256, 256)})
    originals = []
    for index in range(FRAMES):
        suffix, compression = kinds[index % 3]
        well = index // 3
        pixels = simulation.frame(0, well, 0, 2 * (index % 3))
        content = _encode(pixels, suffix, {"compression": compression, **parts[well]})
        name = f"A{well + 1}_s0_t{index % 3:04d}_phase.{suffix}"
        originals.append(Original(name=name, content=content))
    return originals


def _encode(pixels: NDArray[np.uint16], suffix: str, options: dict[str, Any]) -> bytes:
    content = io.BytesIO()
    if suffix == "png":
        Image.fromarray(pixels).save(content, "PNG")
    else:
        tifffile.imwrite(
            content,
            pixels,
            resolution=(1e4, 1e4),
            resolutionunit="CENTIMETER",
            **options,
        )
    return content.getvalue()


def lay_out(originals: list[Original], folder: Path, plate: str) -> None:
    """Write the originals into a new folder, as frames of a plate."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in originals:
        (folder / f"{plate}_{each.name}").write_bytes(each.content)


def look(originals: list[Original], folder: Path, plate: str) -> Came:
    """Return the state of a transfer."""
    wanted = {f"{plate}_{each.name}": each.content for each in originals}
    whole = begun = came = 0
    nearly = False
    for name, content in wanted.items():
        place = folder / name
        if place.exists():
            same = place.read_bytes() == content
            whole += same
            begun += not same
            total = -(-len(content) // _BLOCK)
            nearly |= not same and total - _blocks(content, place) <= total // 64 + 1
        came += max(_blocks(content, place) for place in (place, *_elsewhere(folder, name)))
    total = sum(-(-len(content) // _BLOCK) for content in wanted.values())
    return Came(whole=whole, begun=begun, nearly=nearly, share=came / total)


def _elsewhere(folder: Path, name: str) -> list[Path]:
    """Return the hidden and temporary files of a name."""
    return [place for place in folder.rglob(f"*{name}*") if place.is_file()]


def _blocks(content: bytes, place: Path) -> int:
    """Count the blocks of a file with the right content."""
    try:
        found = place.read_bytes()
    except OSError:
        return 0
    return sum(
        found[at : at + _BLOCK] == content[at : at + _BLOCK]
        for at in range(0, min(len(found), len(content)), _BLOCK)
    )


class Book:
    """The daemon's database and log, read from outside."""

    def __init__(self, database: Path, log: Path) -> None:
        self._database = database
        self._log = log

    def scored(self, plate: str) -> dict[str, tuple[object, ...]]:
        """Return the measures of each scored frame of a plate, by well and time point."""
        rows = self._ask(_MEASURED, plate)
        return {f"{row[0]} t{row[1]}": row[4:] for row in rows if row[2] == "done"}

    def refused(self, plate: str) -> list[str]:
        """Return the reasons of all files of a plate without a result now."""
        reasons = [str(row[3]) for row in self._ask(_MEASURED, plate) if row[3]]
        rows = self._ask("SELECT reason FROM refusals WHERE locator LIKE ?", f"%{plate}%")
        return reasons + [str(reason) for (reason,) in rows]

    def judged(self, plate: str) -> list[str]:
        """Return the reasons of frames that were read as complete and then quarantined."""
        rows = self._ask(
            "SELECT f.reason FROM frames f JOIN wells w ON w.id = f.well_id"
            " WHERE w.plate = ? AND f.state = 'quarantined' AND f.fault != 'unreadable'",
            plate,
        )
        return [str(reason) for (reason,) in rows]

    def strangers(self, folder: str, plate: str) -> list[str]:
        """Return files of a folder that were recorded as another frame."""
        rows = self._ask(
            "SELECT f.locator FROM frames f JOIN wells w ON w.id = f.well_id"
            " WHERE f.locator LIKE ? AND w.plate != ?",
            f"{folder}/%",
            plate,
        )
        return [str(locator) for (locator,) in rows]

    def times_scored(self, plate: str) -> Counter[str]:
        """Count from the log how often each frame of a plate was scored."""
        count: Counter[str] = Counter()
        for line in self._log.read_text("utf-8").splitlines():
            if '"frame scored"' in line and f"/{plate}/" in line:
                count[str(json.loads(line)["event.key"])] += 1
        return count

    def _ask(self, statement: str, *values: str) -> list[tuple[object, ...]]:
        uri = f"file:{self._database}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=30)) as connection:
            return connection.execute(statement, values).fetchall()


def judged_otherwise(book: Book, plate: str) -> list[str]:
    """Name the frames of a plate whose results differ from those of their originals."""
    truth = book.scored(TRUTH)
    judged = [f"taken for whole, though it is not: {reason}" for reason in book.judged(plate)]
    return judged + [
        f"scored otherwise than its original: {name}"
        for name, measured in sorted(book.scored(plate).items())
        if truth.get(name) != measured
    ]


def faults(book: Book, plate: str, folder: str) -> list[str]:
    """Name the broken promises of a finished transfer."""
    truth, seen = book.scored(TRUTH), book.scored(plate)
    broken = [f"not scored: {name}" for name in sorted(truth.keys() - seen.keys())]
    broken += judged_otherwise(book, plate)
    broken += [
        f"scored {times} times: {key}"
        for key, times in sorted(book.times_scored(plate).items())
        if times != 1
    ]
    broken += [f"refused: {reason}" for reason in book.refused(plate)]
    return broken + [f"taken for another frame: {each}" for each in book.strangers(folder, plate)]
