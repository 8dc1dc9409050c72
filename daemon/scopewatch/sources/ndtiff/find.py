"""Finds the NDTiff data sets at or below a folder, and the files of each."""

import os
from collections.abc import Container, Iterator
from pathlib import Path

from scopewatch.sources.layouts.candidates import is_candidate_folder, is_store_name
from scopewatch.sources.ndtiff.pyramid import INDEX, is_copy, is_data_set

_DEPTH = 3
_MAX_DATA_SETS = 1000
_MAX_FILES = 10_000


def find_data_sets(root: Path, known: Container[str] = ()) -> Iterator[tuple[str, Path]]:
    """Yield (path relative to `root`, folder) of each data set; '' where `root` itself is one.

    Of a resolution pyramid only the full resolution is a data set. Folders that cannot be read are
    skipped: the next look finds them.

    Parameters
    ----------
    known
        Relative paths of known data sets, which are not checked again.
    """
    if is_data_set(root):
        yield "", root
        return
    waiting, count = [("", 0)], 0
    while waiting:
        label, depth = waiting.pop(0)
        try:
            with os.scandir(root / label) as entries:
                folders = sorted(
                    entry.name
                    for entry in entries
                    if is_candidate_folder(entry.name)
                    and not is_store_name(entry.name)
                    and entry.is_dir(follow_symlinks=False)
                )
        except OSError:
            continue
        for name in folders:
            inner = f"{label}/{name}" if label else name
            if is_copy(root / inner):
                continue
            if inner in known or is_data_set(root / inner):
                count += 1
                yield inner, root / inner
            elif depth < _DEPTH:
                waiting.append((inner, depth + 1))
            if count >= _MAX_DATA_SETS:
                return


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
