"""Writes the log to a file that is rotated by size; a full disk never ends the daemon.

    writing --the disk refuses--> losing, logged once --a line fits--> writing, logged with a count

Standard error receives every line in any case.
"""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from scopewatch.event_log import get_logger

log = get_logger(__name__)

MODE: Final = 0o640
FOLDER_MODE: Final = 0o750


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFile:
    """A log file besides standard error.

    Parameters
    ----------
    max_bytes
        Size at which the file is renamed to `path`.1, the one before to `path`.2, and so on.
    keep
        Number of older files that are kept at most.
    """

    path: Path
    max_bytes: int
    keep: int


def files_of(path: Path, keep: int) -> Iterator[Path]:
    """Yield the files of a log that are there, the newest first."""
    names = (path, *(path.with_name(f"{path.name}.{number}") for number in range(1, keep + 1)))
    yield from (name for name in names if name.is_file())


class RotatedLog(RotatingFileHandler):
    """Writes a `LogFile`; counts what it cannot write, and logs that once to the other handlers."""

    def __init__(self, file: LogFile) -> None:
        super().__init__(
            file.path,
            maxBytes=file.max_bytes,
            backupCount=file.keep,
            encoding="utf-8",
            delay=True,
        )
        self._path = file.path
        self._ours = 0
        self.lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; rotate the file before it where it is full."""
        if record.name == __name__ and self._ours:
            return
        before = self.lost
        super().emit(record)
        if before and self.lost == before:
            self.lost = 0
            log.warning("log file is written again", file=str(self._path), lost=before)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's name
        """Count a record that could not be written; called by `emit` within its `except`."""
        error = sys.exc_info()[1]
        self.lost += 1
        # What is left of the line must not be written with the next one.
        stream, self.stream = self.stream, None
        if stream is not None:
            _drop(stream)
        if self.lost > 1:
            return
        self._ours += 1
        try:
            log.error("log file cannot be written", file=str(self._path), why=_why(error))
        finally:
            self._ours -= 1

    def _open(self) -> TextIOWrapper:
        missing = [folder for folder in self._path.parents if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(FOLDER_MODE, exist_ok=True)
            folder.chmod(FOLDER_MODE)
        # Not by `Path.open`, which takes no opener.
        stream = open(self._path, "a", encoding="utf-8", opener=_closed_to_others)  # noqa: SIM115
        try:
            self._path.chmod(MODE)
            if _is_cut_off(self._path):
                stream.write("\n")
        except OSError:
            _drop(stream)
            raise
        return stream


def _closed_to_others(path: str, flags: int) -> int:
    return os.open(path, flags, MODE)


def _drop(stream: TextIOWrapper) -> None:
    """Close a stream whose last lines may not fit: closing tries to write them once more."""
    with suppress(OSError, ValueError):
        stream.close()


def _is_cut_off(path: Path) -> bool:
    """Whether the last line has no end: a full disk or a power cut took the rest."""
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def _why(error: BaseException | None) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}"
