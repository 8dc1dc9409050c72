"""Collects the names that file system events of watchdog report, for the thread of a source.

The handler only puts a name into a bounded queue, so that it can neither block nor raise into
watchdog's thread.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from typing import TypeVar

from watchdog.events import DirMovedEvent, FileMovedEvent, FileSystemEvent, FileSystemEventHandler

from scopewatch.sources.layouts.candidates import ZARR_SUFFIX

T = TypeVar("T")

QUEUED = 10_000
_IN_STORE = f"{ZARR_SUFFIX}{os.sep}"


class Touches(FileSystemEventHandler):
    """Collects what was touched: (path, renamed into place).

    Parameters
    ----------
    root
        The watched folder. Writes into Zarr stores below it are ignored.
    touched
        Called after each touch, in the thread of the observer; must be quick.
    """

    def __init__(
        self,
        capacity: int = QUEUED,
        root: str = "",
        touched: Callable[[], None] = lambda: None,
    ) -> None:
        self._root = root
        self._touched = touched
        self._queue: deque[tuple[str, bool]] = deque(maxlen=capacity)
        self._folders: deque[str] = deque(maxlen=capacity)
        self.lost = False
        self.renamed = 0

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note one event; a full queue drops the oldest and requests a walk."""
        if _IN_STORE in os.fsdecode(event.src_path).removeprefix(self._root):
            return
        renamed = isinstance(event, FileMovedEvent | DirMovedEvent)
        path = os.fsdecode(event.dest_path if renamed else event.src_path)
        if event.is_directory:
            self.lost = self.lost or len(self._folders) == self._folders.maxlen
            self._folders.append(path)
        else:
            self.renamed += renamed
            self.lost = self.lost or len(self._queue) == self._queue.maxlen
            self._queue.append((path, renamed))
        self._touched()

    def drain(self) -> list[tuple[str, bool]]:
        """Return the files that were touched since the last call."""
        return list(_taken(self._queue))

    def drain_folders(self) -> list[str]:
        """Return the folders that came since the last call, each once: files may lie in them."""
        return list(dict.fromkeys(_taken(self._folders)))


def _taken(queue: "deque[T]") -> Iterator[T]:
    """Yield what is in a queue, which another thread may fill, and leave it empty."""
    while queue:
        yield queue.popleft()
