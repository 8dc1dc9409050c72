"""Finds OME-Zarr stores at a path, or in the folders below it."""

from collections.abc import Collection, Iterator
from pathlib import Path

from scopewatch.sources.layouts.nested import find_nested
from scopewatch.sources.omezarr.nodes import is_store


def find_stores(root: Path, known: Collection[str] = ()) -> Iterator[tuple[str, Path]]:
    """Return (path below `root`, folder) of each store; '' where `root` itself is one.

    Parameters
    ----------
    known
        Paths of known stores, which are not checked again.
    """
    return find_nested(root, known, is_store)
