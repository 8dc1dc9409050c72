"""Finds OME-Zarr stores at a path, or in the folders below it."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from scopewatch.sources.layouts.candidates import is_candidate_folder
from scopewatch.sources.omezarr.nodes import is_store

_DEPTH = 3
_MAX_STORES = 1000


def find_stores(root: Path, known: Collection[str] = ()) -> Iterator[tuple[str, Path]]:
    """Yield (path below `root`, folder) of each store; '' where `root` itself is one.

    The inside of a store is not searched: it may hold thousands of folders.

    Parameters
    ----------
    known
        Paths of known stores, which are not checked again.
    """
    if is_store(root):
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
                    if entry.is_dir(follow_symlinks=False) and is_candidate_folder(entry.name)
                )
        except OSError:
            continue
        for name in folders:
            inner = f"{label}/{name}" if label else name
            if inner in known or is_store(root / inner):
                count += 1
                yield inner, root / inner
            elif depth < _DEPTH:
                waiting.append((inner, depth + 1))
            if count >= _MAX_STORES:
                return
