"""Finds the planes of a preallocated series that are not written yet: zeros at the end.

Memory-mapped files have their full size from the start, and read as zeros where they are not
written. A plane of zeros before a written one of the same channel, field and focus is not such a
plane: it was skipped, or is not transferred yet.
"""

import errno
import os
import sys
from collections.abc import Callable, Sequence
from io import FileIO
from pathlib import Path

import numpy as np

from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.readers.planes import PlaneEntry
from scopewatch.sources.readers.tiff.ifd import Directory

_PIECE_BYTES = 1 << 20
# This many consecutive blank planes are read whole; later ones count as blank by their samples.
_READ_WHOLE = 2


def not_written_yet(
    planes: Sequence[PlaneEntry], blank: Sequence[bool], is_empty: Callable[[int], bool]
) -> set[int]:
    """Return the planes of a series that are not written yet.

    Parameters
    ----------
    blank
        For each plane whether all its samples are zeros.
    is_empty
        Reads a whole plane and returns whether it holds zeros only.
    """
    if not any(blank):
        return set()
    series: dict[object, list[tuple[int, int]]] = {}
    for number, plane in enumerate(planes):
        facts = plane.facts
        series.setdefault(_identity(facts), []).append((facts.time_point or 0, number))
    awaited: set[int] = set()
    for members in series.values():
        order = [number for _, number in sorted(members)]
        begun = max((at for at, number in enumerate(order) if not blank[number]), default=-1)
        empty = 0
        for at in range(begun + 1, len(order)):
            if empty == _READ_WHOLE:
                break
            if is_empty(order[at]):
                empty += 1
            else:
                begun, empty = at, 0
        awaited.update(order[begun + 1 :])
    return awaited


def holds_zeros_only(path: Path, directory: Directory) -> bool:
    """Return whether a plane in one piece holds zeros only; sparse parts are not read.

    Raises
    ------
    OSError
        When the file cannot be read.
    """
    at, end = directory.first[0], directory.first[0] + directory.bytes_of_pixels
    with path.open("rb", buffering=0) as file:
        while at < end:
            at = _next_data(file, at)
            file.seek(min(at, end))
            piece = file.read(max(0, min(_PIECE_BYTES, end - at)))
            if not piece:
                break
            if np.frombuffer(piece, dtype=np.uint8).any():
                return False
            at += len(piece)
    return True


def _next_data(file: FileIO, at: int) -> int:
    """Return the offset of the next data that was ever written, if the system can find it."""
    if sys.platform == "win32":
        return at
    try:
        return file.seek(at, os.SEEK_DATA)
    except OSError as error:
        # ENXIO: none up to the end. Others: this file system does not support the call.
        return sys.maxsize if error.errno == errno.ENXIO else at


def _identity(facts: PlaneFacts) -> tuple[object, ...]:
    return (
        *(facts.channel, facts.channel_code, facts.z, facts.position),
        *(facts.plate, facts.well, facts.site),
    )
