"""Files that are either whole or not there, also after a power cut.

A file is written under a temporary name beside its own, synced, renamed, and its folder is synced.
Without the first sync, some file systems keep the new name and lose the content.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

DISK_FULL: Final = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""Of the disk, and of what a user may take of it (which Windows does not know)."""

# Temporary files are named `.NAME.part`.
_PART: Final = ".part"
# What old CIFS and some FUSE file systems answer when a folder is synced.
_UNSYNCED_FOLDERS: Final = frozenset({errno.EINVAL, errno.ENOTSUP})


def write_whole(path: Path, data: bytes, *, mode: int | None = None, shared: bool = False) -> None:
    """Write a file, whole or not at all.

    Parameters
    ----------
    mode
        Permissions of the file, whatever the umask; None: as the umask has it.
    shared
        See `whole_file`.

    Raises
    ------
    OSError
        See `whole_file`.
    """
    with whole_file(path, shared=shared) as part:
        part.write_bytes(data)
        if mode is not None:
            part.chmod(mode)


@contextmanager
def whole_file(path: Path, *, shared: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`; sync what was written there, and rename it to `path`.

    Parameters
    ----------
    shared
        Whether several processes may write the same file at once: each has a name of its own.

    Raises
    ------
    OSError
        Where the disk refuses. After any exception, `path` is as before and the temporary file is
        removed.
    """
    name = f"{path.name}.{os.getpid()}" if shared else path.name
    part = path.with_name(f".{name}{_PART}")
    try:
        yield part
        _sync(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    if os.name == "posix":
        # Windows cannot open folders, and its file systems log renames by themselves.
        _sync_folder(path.parent)


def list_parts(folder: Path) -> Iterator[Path]:
    """Yield the temporary files that a killed process left in a folder and below."""
    yield from folder.rglob(f".*{_PART}")


def _sync_folder(folder: Path) -> None:
    try:
        _sync(folder)
    except OSError as error:
        if error.errno not in _UNSYNCED_FOLDERS:
            raise


def _sync(path: Path) -> None:
    # Windows syncs only what is open for writing; folders open only for reading.
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
