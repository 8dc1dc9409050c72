"""Planes of a preallocated series that nobody has written yet: zeros behind the last that is not.

Files that are mapped into memory have their full size from the start, and what is not written reads
as zeros. A plane of zeros before another of its channel, field and focus that is written is no such
plane: it was left out, or is not transferred yet.
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
# So many blank planes on end are read whole; those behind are taken for blank by their samples.
_READ_WHOLE = 2


def not_written_yet(
    planes: Sequence[PlaneEntry], blank: Sequence[bool], is_empty: Callable[[int], bool]
) -> set[int]:
    """Return which planes of a series nobody has written yet.

    Parameters
    ----------
    blank
        Of each plane whether all its samples are zeros.
    is_empty
        Reads a plane whole and tells whether it holds zeros only.
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
    """Tell whether the pixels of a plane in one piece are zeros; what the file skips is not read.

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
    """Return where the next bytes lie that were ever written, where the system tells."""
    if sys.platform == "win32":
        return at
    try:
        return file.seek(at, os.SEEK_DATA)
    except OSError as error:
        # ENXIO: none up to the end. Others: this file system does not know.
        return sys.maxsize if error.errno == errno.ENXIO else at


def _identity(facts: PlaneFacts) -> tuple[object, ...]:
    return (
        *(facts.channel, facts.channel_code, facts.z, facts.position),
        *(facts.plate, facts.well, facts.site),
    )
