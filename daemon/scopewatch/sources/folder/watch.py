"""Watches a folder by file system events of watchdog, reduced to the touched names.

Events are only hints: they get lost (a full kernel queue, a dead thread) and do not arrive at all
on network shares.
"""

import gc
import os
from collections.abc import Callable
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from scopewatch.event_log import get_logger
from scopewatch.sources.base.away import Identity, Presence
from scopewatch.sources.folder.touches import Touches

log = get_logger(__name__)

REVIVE_S = 5.0
# watchdog's observer keeps a record of every renamed file and never drops one
# (github.com/gorakhargosh/watchdog/issues/1041), also for files renamed out of the folder, which
# it does not report. A new observer starts without: after this many renamings, and every day. The
# records hang in cycles, which Python may leave alone for many minutes: they are collected at once.
RENEW_MOVES = 2_000
RENEW_S = 86_400.0
# Reading a file makes events too (opened, closed without writing): they are not subscribed to,
# or every check of a file would cause the next.
_WANTED: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileClosedEvent,
    DirCreatedEvent,
    DirMovedEvent,
]


class FolderWatch:
    """Watches one folder, and keeps watching it.

    A dead observer is started again; one that keeps dying, or that the system refuses, is
    replaced by polling. A folder that went away is watched again once it is back. A healthy
    observer is renewed now and then, because its memory grows.

    Parameters
    ----------
    name
        Name of the source, for the log.
    poll
        Whether to poll without events: the folder is on a network share.
    touched
        Called after each event; must be quick.
    """

    def __init__(
        self,
        name: str,
        root: Path,
        *,
        recursive: bool,
        poll: bool,
        touched: Callable[[], None] = lambda: None,
    ) -> None:
        self._name = name
        self._root = root
        self._recursive = recursive
        self._poll = poll
        self._observer: BaseObserver | None = None
        self._presence = Presence(root)
        self._identity: Identity | None = None
        self._revive_at_s = 0.0
        self._renew_at_s: float | None = None
        self.touches = Touches(root=str(root), touched=touched)
        self.polling = poll
        self.trouble = ""

    @property
    def present(self) -> bool:
        """Whether the folder was there at the last check."""
        return self._identity is not None

    @property
    def presence(self) -> Presence:
        """What is known of the folder."""
        return self._presence

    def start(self) -> None:
        """Start to watch.

        Raises
        ------
        OSError
            When the folder does not exist, is the mount point of a share that was unmounted, or
            cannot be read.
        """
        os.scandir(self._root).close()
        self._identity = self._presence.look()
        self._begin(None)

    def check(self, now_s: float) -> bool:
        """Detect a folder that went, moved or came back, and a dead observer.

        Returns
        -------
        True when files may have been missed, so that the folder must be walked.
        """
        try:
            identity = self._presence.look()
        except OSError as error:
            if self._identity is not None:
                self.trouble = f"{self._root} is gone: {error.strerror}"
                log.error("watched folder is gone", source=self._name, reason=self.trouble)
            self._identity = None
            return False
        changed = identity != self._identity
        self._identity = identity
        if not changed and self._observing() and self._is_due(now_s):
            self._renew()
            return True
        if not changed and (self.polling or self._observing() or now_s < self._revive_at_s):
            return False
        # An observer that dies right after its start will not survive the next time either.
        hopeless = not changed and now_s < self._revive_at_s + REVIVE_S
        self._revive_at_s = now_s + REVIVE_S
        log.warning("folder is watched again", source=self._name, folder_changed=changed)
        self._begin("the observer keeps dying" if hopeless else None)
        return True

    def alive(self) -> bool:
        """Return whether the folder is there and new files in it would be detected."""
        return self.present and (self.polling or self._observing())

    def stop(self) -> None:
        """Stop watching; idempotent."""
        observer, self._observer = self._observer, None
        _end(observer)

    def _is_due(self, now_s: float) -> bool:
        """Whether the observer has kept enough to be worth a walk of the folder."""
        if self._renew_at_s is None:
            self._renew_at_s = now_s + RENEW_S
        return self.touches.renamed >= RENEW_MOVES or now_s >= self._renew_at_s

    def _renew(self) -> None:
        """Replace an observer that works: it goes on until the new one does, or for good."""
        former = self._observer
        if self._observe() is None:
            _end(former)
            del former
            gc.collect()
        self.touches.renamed = 0
        self._renew_at_s = None

    def _begin(self, hopeless: str | None) -> None:
        had_one = self._observer is not None
        self.stop()
        if had_one:
            gc.collect()
        self.touches.renamed = 0
        self._renew_at_s = None
        self.trouble = ""
        if self._poll:
            return
        why = hopeless or self._observe()
        self.polling = why is not None
        if why is not None:
            self.trouble = f"{self._root} by polling, since events fail: {why}"
            log.warning("events fail, the folder is polled instead", source=self._name, reason=why)

    def _observe(self) -> str | None:
        """Start an observer; return why that is impossible, or None."""
        observer = Observer()
        try:
            observer.schedule(
                self.touches, str(self._root), recursive=self._recursive, event_filter=_WANTED
            )
            observer.start()
        except OSError as error:
            # inotify: no watches or instances left, or the folder went away.
            return error.strerror or str(error)
        except RuntimeError as error:
            return str(error)
        self._observer = observer
        return None

    def _observing(self) -> bool:
        observer = self._observer
        return (
            observer is not None
            and observer.is_alive()
            and bool(observer.emitters)
            and all(emitter.is_alive() for emitter in observer.emitters)
        )


def _end(observer: BaseObserver | None) -> None:
    if observer is not None and observer.is_alive():
        observer.stop()
        observer.join(timeout=5)
