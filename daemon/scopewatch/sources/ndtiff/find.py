"""Finds the NDTiff data sets at or below a folder, and the files of each."""

import os
from collections.abc import Container, Iterator
from pathlib import Path

from scopewatch.sources.layouts.candidates import is_store_name
from scopewatch.sources.layouts.nested import find_nested
from scopewatch.sources.ndtiff.pyramid import INDEX, is_copy, is_data_set

_MAX_FILES = 10_000


def find_data_sets(root: Path, known: Container[str] = ()) -> Iterator[tuple[str, Path]]:
    """Return (path relative to `root`, folder) of each data set; '' where `root` itself is one.

    Of a resolution pyramid only the full resolution is a data set.

    Parameters
    ----------
    known
        Relative paths of known data sets, which are not checked again.
    """

    def is_searched(folder: Path) -> bool:
        return not is_store_name(folder.name) and not is_copy(folder)

    return find_nested(root, known, is_data_set, is_searched)


def list_files(folder: Path) -> tuple[dict[str, int], tuple[tuple[str, int, int], ...]]:
    """Return the index and the TIFFs of a data set: sizes by name, and (name, size, time) of each.

    Raises
    ------
    OSError
        When the folder cannot be read.
    """
    found: list[tuple[str, int, int]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if len(found) < _MAX_FILES and (entry.name == INDEX or entry.name.endswith(".tif")):
                try:
                    state = entry.stat()
                except OSError:
                    continue
                found.append((entry.name, state.st_size, state.st_mtime_ns))
    found.sort()
    return {name: size for name, size, _ in found}, tuple(found)
