"""Checks whether the folders of a configuration can be used: one line each, or what to do."""

import errno
import os
import tempfile
from pathlib import Path

from scopewatch.config import FolderSourceConfig, MicroManagerSourceConfig, SourceConfig
from scopewatch.core.errors import ConfigError, StoreError, complaint

_LASTING = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR)


def check_folder(source: SourceConfig) -> str:
    """Look into the folder of a source and report that it can be read. Raises StoreError."""

    def refuse(what: str, do: str) -> StoreError:
        return StoreError(complaint(what, where=path, do=do))

    path = source.path
    if not path.exists() and path.parent.is_dir() and not isinstance(source, FolderSourceConfig):
        return f"{path} is not there yet (a data set is waited for)"
    if not path.exists():
        raise refuse("folder does not exist", "mount the share, or correct its path")
    if not path.is_dir():
        raise refuse("path is not a folder", "name the folder that the frames appear in")
    try:
        with os.scandir(path) as entries:
            next(entries, None)
    except OSError as error:
        raise refuse(
            f"folder cannot be read ({error.strerror})", "give the daemon's user the right to read"
        ) from error
    acquires = isinstance(source, MicroManagerSourceConfig) and source.mode == "acquire"
    if acquires and not os.access(path, os.W_OK):
        raise refuse("folder cannot be written to", "acquisition needs the right to write there")
    return f"{path} can be read"


def check_writable(setting: str, folder: Path) -> str:
    """Write and remove a file where ours will be: in the nearest folder that exists.

    Raises
    ------
    ConfigError
        When it will not be possible by itself either: there is no right to it.
    StoreError
        When it may be later, as on a full disk.
    """
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        what = "state folder" if setting == "state.folder" else "folder of the log file"
        # A full disk gets room again by itself, a right is not granted by itself.
        kind = ConfigError if error.errno in _LASTING else StoreError
        raise kind(
            complaint(
                f"{what} cannot be written to",
                where=folder,
                got=error.strerror,
                do=f"give the daemon's user the right to write there, or set {setting}",
            )
        ) from error
    return f"{folder} can be written to" + ("" if folder.exists() else " (made at the start)")
