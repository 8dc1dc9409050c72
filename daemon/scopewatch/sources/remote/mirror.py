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
from pathlib import Path, PurePosixPath
from typing import Final

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.remote.entries import Entry, entry_of
from scopewatch.sources.remote.scratch import make_scratch, sweep
from scopewatch.sources.remote.urls import RemoteFolder, open_filesystem, reason_of, unreachable

_FETCHES: Final = 4
_TRIES: Final = 3
_FOLDERS: Final = 256
_TREES: Final = 16
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
        self._files, self._base = open_filesystem(remote.url)
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
        self._sides: OrderedDict[str, list[Entry]] = OrderedDict()
        self._trees: OrderedDict[str, list[Entry]] = OrderedDict()

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
        place = f"{self._base}/{below}".rstrip("/")
        try:
            found = [entry_of(each, self._base) for each in self._files.ls(place, detail=True)]
        except Exception as error:
            raise unreachable(f"{self._remote.url}/{below}".rstrip("/"), error) from error
        # Some stores list a folder as an object of itself.
        listed = [each for each in found if each.path not in {below, ""}]
        if self._remote.only and not below:
            listed = [each for each in listed if each.name == self._remote.only] + [
                each for each in listed if each.is_side_file
            ]
        self._sides[below] = [each for each in listed if each.is_side_file]
        while len(self._sides) > _FOLDERS:
            self._sides.popitem(last=False)
        return listed

    def want(self, entry: Entry) -> None:
        """Begin to fetch a file that will be held soon, where there is room for it."""
        with self._lock:
            room = self._remote.cache_bytes // 2
            if entry.path not in self._kept and self._size() + entry.size <= room:
                self._begin(entry)

    @contextmanager
    def file(self, path: str) -> Iterator[None]:
        """Hold a file, and the files beside and above it that may state facts about it.

        Raises
        ------
        FrameError
            When it is gone, cannot be fetched, or is larger than the cache.
        """
        folders = [str(each) for each in PurePosixPath(path).parents]
        sides = [side for each in folders for side in self._sides_in("" if each == "." else each)]
        with self._lock:
            known = self._kept.get(path)
        with self._held([known[0] if known else self._look(path), *sides]):
            yield

    @contextmanager
    def tree(self, below: str) -> Iterator[None]:
        """Hold all files of a data set or store. Raises as `file`."""
        entries = self._files_below(below)
        size = sum(each.size for each in entries)
        if size > self._remote.cache_bytes:
            raise FrameError(
                complaint(
                    "data set is larger than the cache, and is read whole",
                    where=f"{self._remote.url}/{below}",
                    expected=f"at most {self._remote.cache_bytes / 1e9:.1f} GB",
                    got=f"{size / 1e9:.1f} GB",
                    do="raise --cache-gb, or copy it to a disk",
                )
            )
        with self._held(entries):
            yield

    def _files_below(self, below: str) -> list[Entry]:
        """Return all files of a data set: it is listed once, since it is read plane by plane."""
        if below not in self._trees:
            try:
                found = self._files.find(f"{self._base}/{below}".rstrip("/"), detail=True)
            except Exception as error:
                raise self._unfetched(below, error) from error
            listed = self._trees[below] = [entry_of(each, self._base) for each in found.values()]
            while len(self._trees) > _TREES:
                self._trees.popitem(last=False)
            return listed
        return self._trees[below]

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
            raise self._unfetched(path, error) from error

    def _begin(self, entry: Entry) -> None:
        # Keys of a bucket may hold `..`.
        if not (self.root / entry.path).resolve().is_relative_to(self.root):
            raise FrameError(
                complaint(
                    "path leads out of its folder",
                    where=f"{self._remote.url}/{entry.path}",
                    do="copy it under another name",
                )
            )
        if entry.size > self._remote.cache_bytes:
            raise FrameError(
                complaint(
                    "file is larger than the cache",
                    where=f"{self._remote.url}/{entry.path}",
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
            entry = self._copy(entry, part)
            size = part.stat().st_size
            if entry.modified_s is not None:
                os.utime(part, (entry.modified_s, entry.modified_s))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return size

    def _copy(self, entry: Entry, part: Path) -> Entry:
        """Fetch a file that does not change meanwhile, and return what it is.

        Libraries fetch large objects in pieces, and may join those of two versions.
        """
        for _ in range(_TRIES):
            self._files.get_file(f"{self._base}/{entry.path}", str(part))
            seen, size = self._look(entry.path), part.stat().st_size
            # More where it was compressed for the transfer.
            if seen.is_same(entry) and size >= seen.size:
                return seen
            entry = seen
        raise FrameError(
            complaint(
                "file cannot be fetched whole",
                where=f"{self._remote.url}/{entry.path}",
                expected=f"{entry.size} bytes that stay the same",
                got=f"{size} bytes, or other ones each time",
                do="wait until nobody writes it, and give the same call again",
            )
        )

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

    def _look(self, path: str) -> Entry:
        try:
            return entry_of(self._files.info(f"{self._base}/{path}"), self._base)
        except Exception as error:
            raise self._unfetched(path, error) from error

    def _sides_in(self, folder: str) -> list[Entry]:
        if folder not in self._sides:
            self.entries(folder)
        return self._sides[folder]

    def _unfetched(self, path: str, error: Exception) -> FrameError:
        if isinstance(error, FrameError):
            return error
        return FrameError(
            complaint(
                "file cannot be fetched",
                where=f"{self._remote.url}/{path}",
                got=reason_of(error),
                do="check that it exists, the network and the credentials",
            )
        )


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
