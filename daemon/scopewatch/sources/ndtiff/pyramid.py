"""Recognises NDTiff data sets, and the level of a resolution pyramid that is followed.

A pyramid has a folder for each level: `Full resolution`, and beside it `Downsampled_x2`,
`Downsampled_x4`, each a data set. NDTiff 2 has the first one even without a pyramid.
https://github.com/micro-manager/NDStorage (README, "Directory layout")
"""

import os
import re
from pathlib import Path

from scopewatch.core.errors import complaint

INDEX = "NDTiff.index"
FULL_RESOLUTION = "Full resolution"
# NDTiff 1, which Micro-Magellan wrote, has no index and another name.
_STACK = re.compile(r"(?s).*(NDTiffStack|MagellanStack)(_\d+)?\.tif")
_DOWNSAMPLED = re.compile(r"Downsampled_x\d+")


def is_data_set_file(name: str) -> bool:
    """Return whether a file is the index or a stack of an NDTiff data set, by its name."""
    return name == INDEX or _STACK.fullmatch(name) is not None


def is_data_set(folder: Path) -> bool:
    """Return whether a folder is an NDTiff data set: it has an index or an NDTiff stack."""
    try:
        with os.scandir(folder) as entries:
            return any(is_data_set_file(entry.name) for entry in entries)
    except OSError:
        return False


def is_coarser_name(name: str) -> bool:
    """Return whether a folder has the name of a coarser level of a pyramid."""
    return _DOWNSAMPLED.fullmatch(name) is not None


def is_copy(folder: Path) -> bool:
    """Return whether a folder holds a coarser copy of the data set beside it."""
    return is_coarser_name(folder.name) and is_data_set(folder.parent / FULL_RESOLUTION)


def refuse_copy(folder: Path) -> str | None:
    """Return why a data set is not read as frames if it is a coarser copy; None for others."""
    if not is_coarser_name(folder.name):
        return None
    return complaint(
        "data set is a coarser copy of another one",
        where=folder,
        expected=f"the folder {FULL_RESOLUTION!r} of its acquisition",
        got=folder.name,
        do=f"copy the folder {FULL_RESOLUTION!r} beside it, or point the source at that one",
    )
