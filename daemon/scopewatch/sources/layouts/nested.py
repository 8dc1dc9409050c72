"""Finds data sets that are folders, at a path or in the folders below it."""

import os
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import Final

from scopewatch.sources.layouts.candidates import is_candidate_folder

DEPTH: Final = 3
MOST_DATA_SETS: Final = 1000


def find_nested(
    root: Path,
    known: Container[str],
    is_data_set: Callable[[Path], bool],
    is_searched: Callable[[Path], bool] = lambda _: True,
) -> Iterator[tuple[str, Path]]:
    """Yield (path relative to `root`, folder) of each data set; '' where `root` itself is one.

    The inside of a data set is not searched: it may hold thousands of folders. Folders that cannot
    be read are skipped: the next look finds them.

    Parameters
    ----------
    known
        Relative paths of known data sets, which are not checked again.
    is_searched
        Whether a folder is a data set, or may hold some.
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
                    if is_candidate_folder(entry.name) and entry.is_dir(follow_symlinks=False)
                )
        except OSError:
            continue
        for name in folders:
            inner = f"{label}/{name}" if label else name
            if not is_searched(root / inner):
                continue
            if inner in known or is_data_set(root / inner):
                count += 1
                yield inner, root / inner
            elif depth < DEPTH:
                waiting.append((inner, depth + 1))
            if count >= MOST_DATA_SETS:
                return
