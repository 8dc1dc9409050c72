"""Finds image files under a folder; symbolic links that loop are walked once."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from scopewatch.event_log import get_logger
from scopewatch.sources.layouts.candidates import (
    MAX_DEPTH,
    ZARR_METADATA,
    is_candidate_folder,
    is_candidate_name,
    is_store_name,
)

log = get_logger(__name__)

NDTIFF_INDEX = "NDTiff.index"
_NETWORK = frozenset(
    {"cifs", "smb", "smb3", "smbfs", "nfs", "nfs4", "ncpfs", "afs", "9p", "fuse.sshfs", "davfs"}
)
_MOUNTS = Path("/proc/mounts")


class Seen(NamedTuple):
    """State of an image file; `locator` is relative to the folder, with `/`."""

    locator: str
    fingerprint: str
    mtime_ns: int


def look_at(root: Path, locator: str) -> Seen | None:
    """Return the state of one file; None where it is gone or no regular file."""
    try:
        state = (root / locator).stat()
    except OSError:
        return None
    return _seen(locator, state) if stat.S_ISREG(state.st_mode) else None


def walk_images(
    root: Path, *, recursive: bool, stores: set[str] | None = None, below: str = ""
) -> Iterator[Seen]:
    """Yield every image file under a folder.

    `layouts.candidates` decides which files and folders may hold frames, as it does for events.
    The TIFFs of NDTiff data sets, and Zarr stores, are left to their own sources. Folders that
    vanish or cannot be read meanwhile are skipped: the next walk finds them.

    Parameters
    ----------
    stores
        Receives the Zarr stores that are found; they are not entered.
    below
        The part of it to walk, relative to `root`, with `/`.

    Raises
    ------
    OSError
        When `root` itself cannot be read.
    """
    met = set() if stores is None else stores
    visited: set[tuple[int, int]] = set()
    waiting = [(below, below.count("/") + 1 if below else 0)]
    while waiting:
        folder, depth = waiting.pop()
        if is_store_name(folder):
            met.add(folder)
            continue
        try:
            data_set = (root / folder / NDTIFF_INDEX).exists()
            inner: list[str] = []
            for entry in _entries(root / folder, visited):
                locator = f"{folder}/{entry.name}" if folder else entry.name
                if _is_folder(entry):
                    if recursive and depth < MAX_DEPTH and is_candidate_folder(entry.name):
                        inner.append(locator)
                elif entry.name in ZARR_METADATA:
                    met.add(folder)
                elif is_candidate_name(entry.name) and not data_set:
                    seen = _look(entry, locator)
                    if seen is not None:
                        yield seen
            if folder in met:
                met.update(filter(is_store_name, inner))
            else:
                waiting += [(locator, depth + 1) for locator in inner]
        except OSError as error:
            if not folder:
                raise
            log.info("folder cannot be read", folder=folder, reason=error.strerror)


def in_data_set(root: Path, locator: str) -> bool:
    """Return whether a file lies in an NDTiff data set."""
    return ((root / locator).parent / NDTIFF_INDEX).exists()


def as_locator(root: Path, path: str) -> str | None:
    """Return a path relative to the folder, with `/`; None where it is not under it."""
    try:
        return PurePosixPath(Path(path).relative_to(root)).as_posix()
    except ValueError:
        return None


def network_file_system(path: Path) -> str | None:
    """Return the kind of network file system that holds a path; None for a local one.

    Read from `/proc/mounts`, so Linux only; elsewhere the result is None.
    """
    if not sys.platform.startswith("linux"):
        return None
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
        place = path.resolve()
    except OSError:
        return None
    best, kind = -1, None
    for line in mounts:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(fields[1].replace("\\040", " "))
        if place.is_relative_to(point) and len(point.parts) > best:
            best, kind = len(point.parts), fields[2]
    return kind if kind in _NETWORK else None


def _entries(folder: Path, visited: set[tuple[int, int]]) -> Iterator[os.DirEntry[str]]:
    """Yield the entries of a folder that was not visited yet, one at a time: it may be huge."""
    state = folder.stat()
    identity = (state.st_dev, state.st_ino)
    if identity not in visited:
        visited.add(identity)
        with os.scandir(folder) as entries:
            yield from entries


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _look(entry: os.DirEntry[str], locator: str) -> Seen | None:
    try:
        return _seen(locator, entry.stat()) if entry.is_file() else None
    except OSError:
        return None


def _seen(locator: str, state: os.stat_result) -> Seen:
    fingerprint = f"{state.st_size}:{state.st_mtime_ns}"
    return Seen(locator, fingerprint, state.st_mtime_ns)
