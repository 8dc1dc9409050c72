"""A bounded part of a remote folder as files on this machine, in their own folders and times.

Readers need files: they look at neighbours, seek, and give paths to libraries. So an object is
fetched whole, under its own path and with its own time, together with the files beside it that may
state facts (`metadata.txt`, `Index.xml`), and read as any file is.
"""

import os
import shutil
import threading
import weakref
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Final

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.remote.entries import Entry
from scopewatch.sources.remote.files import RemoteFiles
from scopewatch.sources.remote.scratch import make_scratch, sweep
from scopewatch.sources.remote.urls import RemoteFolder

_FETCHES: Final = 4
_MIRRORS: Final = 16

# What is there or on its way, and how many bytes it came to.
_Kept = tuple[Entry, "Future[int]"]


class Mirror:
    """Fetches what is held, and drops what was not held for longest when its room is needed.

    Raises
    ------
    ConfigError
        When the URL cannot be used.
    """

    def __init__(self, remote: RemoteFolder) -> None:
        self._remote = remote
        self._files = RemoteFiles(remote)
        sweep()
        scratch = make_scratch()
        # At the latest at the end of the process.
        self._remove = weakref.finalize(self, shutil.rmtree, scratch, ignore_errors=True)
        self.root = scratch / (remote.name or "files")
        self.root.mkdir()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_FETCHES, "fetch")
        # By path, the longest unused first.
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._users: Counter[str] = Counter()

    def close(self) -> None:
        """Remove what was fetched; nothing can be held afterwards."""
        self._pool.shutdown(cancel_futures=True)
        self._remove()

    def entries(self, below: str) -> list[Entry]:
        """List a folder.

        Raises
        ------
        ConfigError
            When it cannot be listed.
        """
        return self._files.list_folder(below)

    def check(self) -> None:
        """List the folder itself, unless that was done. Raises ConfigError."""
        self._files.side_files("")

    def want(self, entry: Entry) -> None:
        """Begin to fetch a file that will be held soon, where there is room for it."""
        with self._lock:
            room = self._remote.cache_bytes // 2
            if entry.path not in self._kept and self._size() + entry.size <= room:
                self._begin(entry)

    @contextmanager
    def file(self, path: str, listed: Entry | None = None) -> Iterator[None]:
        """Hold a file, and the files beside and above it that may state facts about it.

        Parameters
        ----------
        listed
            What it was listed as; asked for where it is neither given nor there.

        Raises
        ------
        FrameError
            When it is gone, cannot be fetched, or is larger than the cache.
        """
        folders = [str(each) if each.name else "" for each in PurePosixPath(path).parents]
        sides = [side for each in folders for side in self._files.side_files(each)]
        with self._lock:
            known = self._kept.get(path)
        wanted = known[0] if known else listed or self._files.look(path)
        with self._held([wanted, *sides]):
            yield

    @contextmanager
    def tree(self, below: str) -> Iterator[None]:
        """Hold all files of a data set or store. Raises as `file`."""
        entries = self._files.list_files(below)
        size = sum(each.size for each in entries)
        if size > self._remote.cache_bytes:
            raise FrameError(
                complaint(
                    "data set is larger than the cache, and is read whole",
                    where=self._remote.url_of(below),
                    expected=f"at most {self._remote.cache_bytes / 1e9:.1f} GB",
                    got=f"{size / 1e9:.1f} GB",
                    do="raise --cache-gb, or copy it to a disk",
                )
            )
        with self._held(entries):
            yield

    @contextmanager
    def _held(self, entries: Sequence[Entry]) -> Iterator[None]:
        paths = [each.path for each in entries]
        with self._lock:
            self._users.update(paths)
            try:
                for each in entries:
                    if each.path not in self._kept:
                        self._begin(each)
                    self._kept.move_to_end(each.path)
                self._make_room()
                fetches = [(path, self._kept[path][1]) for path in paths]
            except BaseException:
                self._users.subtract(paths)
                raise
        try:
            for path, fetch in fetches:
                self._await(path, fetch)
            yield
        finally:
            with self._lock:
                self._users.subtract(paths)
                self._users += Counter()

    def _await(self, path: str, fetch: "Future[int]") -> None:
        try:
            fetch.result()
        except Exception as error:
            with self._lock:
                # Another thread may have begun it again.
                if path in self._kept and self._kept[path][1] is fetch:
                    del self._kept[path]
            raise self._files.unfetched(path, error) from error

    def _begin(self, entry: Entry) -> None:
        # Keys of a bucket may hold `..`.
        if not (self.root / entry.path).resolve().is_relative_to(self.root):
            raise FrameError(
                complaint(
                    "path leads out of its folder",
                    where=self._remote.url_of(entry.path),
                    do="copy it under another name",
                )
            )
        if entry.size > self._remote.cache_bytes:
            raise FrameError(
                complaint(
                    "file is larger than the cache",
                    where=self._remote.url_of(entry.path),
                    expected=f"at most {self._remote.cache_bytes / 1e9:.1f} GB",
                    got=f"{entry.size / 1e9:.1f} GB",
                    do="raise --cache-gb",
                )
            )
        self._kept[entry.path] = entry, self._pool.submit(self._fetch, entry)

    def _fetch(self, entry: Entry) -> int:
        """Fetch a file whole, and return its size."""
        path = self.root / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        try:
            entry = self._files.copy(entry, part)
            size = part.stat().st_size
            if entry.copied_ns is not None:
                os.utime(part, ns=(entry.copied_ns, entry.copied_ns))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return size

    def _make_room(self) -> None:
        excess = self._size() - self._remote.cache_bytes
        for path in list(self._kept):
            if excess <= 0:
                return
            kept = self._kept[path]
            if not self._users[path] and kept[1].done():
                del self._kept[path]
                (self.root / path).unlink(missing_ok=True)
                excess -= _size_of(kept)

    def _size(self) -> int:
        return sum(map(_size_of, self._kept.values()))


def _size_of(kept: _Kept) -> int:
    """Return how much a file takes up; what was listed, until it is there."""
    entry, fetch = kept
    return fetch.result() if fetch.done() and fetch.exception() is None else entry.size


_OPENING = threading.Lock()
_opened: OrderedDict[RemoteFolder, Mirror] = OrderedDict()


def mirror_of(remote: RemoteFolder) -> Mirror:
    """Return the one mirror of a remote folder in this process. Raises ConfigError."""
    # Several threads of a worker begin at once, and must not have a mirror each.
    with _OPENING:
        if remote not in _opened:
            _opened[remote] = Mirror(remote)
            while len(_opened) > _MIRRORS:
                _opened.popitem(last=False)
        return _opened[remote]


def close_mirror(remote: RemoteFolder) -> None:
    """Remove what was fetched of a remote folder, when nobody reads it any more."""
    with _OPENING:
        mirror = _opened.pop(remote, None)
    if mirror is not None:
        mirror.close()
