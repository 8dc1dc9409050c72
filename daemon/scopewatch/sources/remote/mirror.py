"""A bounded part of a remote folder as files on this machine, in their own folders and times.

Readers need files: they look at neighbours, seek, and give paths to libraries. So an object is
fetched whole, under its own path and with its own time, together with the files beside it that may
state facts (`metadata.txt`, `Index.xml`), and read as any file is.
"""

import atexit
import os
import re
import shutil
import tempfile
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, Final

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.layouts.candidates import is_candidate_name
from scopewatch.sources.readers.downloads import CONTROL_SUFFIXES
from scopewatch.sources.readers.planes import DEFAULT_LIMITS
from scopewatch.sources.remote.urls import RemoteFolder, open_filesystem, reason_of, unreachable

_SIDE_SUFFIXES: Final = (".xml", ".txt", ".json", ".mlf", ".mrf", ".mes", *CONTROL_SUFFIXES)
_PREFIX: Final = "scopewatch-cache-"
_FETCHES: Final = 4
_FOLDERS: Final = 256
_TREES: Final = 16
_MODIFIED: Final = ("LastModified", "mtime", "last_modified", "modified", "last_write_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file or folder of a remote folder.

    Parameters
    ----------
    path
        Relative to the remote folder.
    size
        Bytes; 0 for folders.
    modified_s
        Seconds since 1970; None where it is not known.
    """

    path: str
    is_folder: bool
    size: int = 0
    modified_s: float | None = None

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.rpartition("/")[2]


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
        _sweep()
        scratch = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        atexit.register(shutil.rmtree, scratch, ignore_errors=True)
        self.root = scratch / (remote.name or "files")
        self.root.mkdir()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_FETCHES, "fetch")
        # By path: what is there or on its way, the longest unused first.
        self._kept: OrderedDict[str, tuple[int, Future[None]]] = OrderedDict()
        self._users: Counter[str] = Counter()
        self._sides: OrderedDict[str, list[Entry]] = OrderedDict()
        self._trees: OrderedDict[str, list[Entry]] = OrderedDict()

    def entries(self, below: str) -> list[Entry]:
        """List a folder.

        Raises
        ------
        ConfigError
            When it cannot be listed.
        """
        place = f"{self._base}/{below}".rstrip("/")
        try:
            found = [self._entry(each) for each in self._files.ls(place, detail=True)]
        except Exception as error:
            raise unreachable(f"{self._remote.url}/{below}".rstrip("/"), error) from error
        # Some stores list a folder as an object of itself.
        listed = [each for each in found if each.path not in {below, ""}]
        if self._remote.only and not below:
            listed = [each for each in listed if each.name == self._remote.only] + [
                each for each in listed if _is_side_file(each)
            ]
        self._sides[below] = [each for each in listed if _is_side_file(each)]
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
        known = self._kept.get(path)
        entry = Entry(path=path, is_folder=False) if known else self._look(path)
        with self._held([entry, *sides]):
            yield

    @contextmanager
    def tree(self, below: str) -> Iterator[None]:
        """Hold all files of a data set or store. Raises as `file`."""
        place = f"{self._base}/{below}".rstrip("/")
        try:
            found = self._files.find(place, detail=True)
            entries = [self._entry(each) for each in found.values()]
        except Exception as error:
            raise self._unfetched(below, error) from error
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
            self._trees[below] = [self._entry(each) for each in found.values()]
            while len(self._trees) > _TREES:
                self._trees.popitem(last=False)
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

    def _await(self, path: str, fetch: "Future[None]") -> None:
        try:
            fetch.result()
        except Exception as error:
            with self._lock:
                self._kept.pop(path, None)
            raise self._unfetched(path, error) from error

    def _begin(self, entry: Entry) -> None:
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
        self._kept[entry.path] = entry.size, self._pool.submit(self._fetch, entry)

    def _fetch(self, entry: Entry) -> None:
        path = self.root / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        self._files.get_file(f"{self._base}/{entry.path}", str(part))
        if entry.modified_s is not None:
            os.utime(part, (entry.modified_s, entry.modified_s))
        part.replace(path)

    def _make_room(self) -> None:
        for path in list(self._kept):
            if self._size() <= self._remote.cache_bytes:
                return
            _, fetch = self._kept[path]
            if not self._users[path] and fetch.done():
                del self._kept[path]
                (self.root / path).unlink(missing_ok=True)

    def _size(self) -> int:
        return sum(size for size, _ in self._kept.values())

    def _look(self, path: str) -> Entry:
        try:
            return self._entry(self._files.info(f"{self._base}/{path}"))
        except Exception as error:
            raise self._unfetched(path, error) from error

    def _sides_in(self, folder: str) -> list[Entry]:
        if folder not in self._sides:
            self.entries(folder)
        return self._sides[folder]

    def _entry(self, facts: dict[str, Any]) -> Entry:
        path = str(facts["name"]).rstrip("/").removeprefix(self._base.rstrip("/")).lstrip("/")
        moments = (facts[name] for name in _MODIFIED if facts.get(name) is not None)
        moment = next(moments, None)
        if isinstance(moment, datetime):
            moment = moment.timestamp()
        return Entry(
            path=path,
            is_folder=facts["type"] == "directory",
            size=int(facts.get("size") or 0),
            modified_s=float(moment) if isinstance(moment, int | float) else None,
        )

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


@lru_cache(maxsize=16)
def mirror_of(remote: RemoteFolder) -> Mirror:
    """Return the one mirror of a remote folder in this process. Raises ConfigError."""
    return Mirror(remote)


def _is_side_file(entry: Entry) -> bool:
    return (
        not entry.is_folder
        and not is_candidate_name(entry.name)
        and entry.name.endswith(_SIDE_SUFFIXES)
        and entry.size <= DEFAULT_LIMITS.max_text_bytes
    )


def _sweep() -> None:
    """Remove the caches of processes that were killed."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        number = re.fullmatch(rf"{_PREFIX}(\d+)-\w+", left.name)
        with suppress(OSError):
            if number is not None and _is_gone(int(number[1])) and left.stat().st_uid == _user():
                shutil.rmtree(left, ignore_errors=True)


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


def _is_gone(process: int) -> bool:
    if os.name == "nt":
        # There, signal 0 would end it.
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
