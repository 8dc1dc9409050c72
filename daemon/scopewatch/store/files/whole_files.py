"""Whole files of the state folder: closed to others, and refusals of the disk as one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from scopewatch import files
from scopewatch.core.errors import NoSpaceError, StoreError, complaint

FOLDER_MODE: Final = 0o750
FILE_MODE: Final = 0o640


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that others cannot read; see `whole_file`."""
    make_folder(path.parent)
    with writing(path):
        files.write_whole(path, data, mode=FILE_MODE)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; what was written there is synced and renamed.

    Raises
    ------
    StoreError
        Where the disk refuses; NoSpaceError where it is full. After any exception the temporary
        file is removed.
    """
    with writing(path), files.whole_file(path) as part:
        yield part


def make_folder(folder: Path) -> None:
    """Make a folder that others can neither read nor write, with its parents.

    Raises
    ------
    StoreError
        Where it cannot be made.
    """
    try:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        for path in reversed(missing):
            # Closed from the first moment, also where the change of its mode then fails.
            path.mkdir(FOLDER_MODE, exist_ok=True)
            path.chmod(FOLDER_MODE)
        folder.mkdir(FOLDER_MODE, exist_ok=True)
    except OSError as error:
        kind = NoSpaceError if error.errno in files.DISK_FULL else StoreError
        raise kind(
            complaint(
                "folder cannot be made",
                where=folder,
                got=error.strerror or error,
                do="give the daemon's user the right to write there, or name another folder",
            )
        ) from error


def sweep(folder: Path) -> int:
    """Remove temporary files that a crash left; return how many."""
    count = 0
    with writing(folder):
        for part in files.list_parts(folder):
            part.unlink(missing_ok=True)
            count += 1
    return count


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the disk raises into the one line for the operator."""
    try:
        yield
    except OSError as error:
        kind = NoSpaceError if error.errno in files.DISK_FULL else StoreError
        raise kind(
            complaint(
                "file cannot be written",
                where=path,
                got=error.strerror or error,
                do="check free space and the rights of the folder",
            )
        ) from error
