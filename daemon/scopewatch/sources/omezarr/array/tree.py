"""Finds the chunk files of an array repeatedly without listing all of them.

A folder is listed again only when its time changed; a folder with all planes found is not checked
at all. Full looks find new files in folders whose time did not change (some shares, coarse clocks).
"""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

Coordinates = tuple[int, ...]
# The time of a folder may have steps of 2 s: one that changed so recently is listed again.
_COARSE_S = 2.5
_LONGEST_NUMBER = 9


@dataclass(slots=True)
class _Folder:
    """A folder of chunks, and when it changed on the local monotonic clock."""

    at: Coordinates
    mtime_ns: int | None = None
    changed_s: float = 0.0
    listed_s: float | None = None
    inner: dict[int, "_Folder"] = field(default_factory=dict)


class ChunkTree:
    """The chunk files below the folder of one array.

    Parameters
    ----------
    folder
        Folder of the array.
    prefix, separator
        See `ArrayLayout`.
    dims
        Number of coordinates of a chunk.
    is_done
        Returns, for the first coordinates of chunks, whether nothing below them is needed any more.
    """

    def __init__(
        self,
        folder: Path,
        *,
        prefix: str,
        separator: str,
        dims: int,
        is_done: Callable[[Coordinates], bool],
    ) -> None:
        self._nested = separator == "/"
        self._root = folder / prefix if self._nested and prefix else folder
        self._first = "" if self._nested else f"{prefix}." if prefix else ""
        self._dims = dims
        self._is_done = is_done
        self._top = _Folder(at=())
        self._pass: Iterator[Coordinates] | None = None
        # First coordinates below which all is done: names are compared with them alone.
        self._done: set[int] = set()
        self.listed = 0

    def glance(self) -> tuple[int, ...]:
        """Return what usually changes when a chunk comes; quick. Never raises."""
        newest = [max(self._top.inner)] if self._top.inner else []
        times = []
        for path in (self._root, *(self._root / str(number) for number in newest)):
            try:
                times.append(path.stat().st_mtime_ns)
            except OSError:
                times.append(0)
        return tuple(times)

    def forget(self) -> None:
        """List every folder again with the next look."""
        self._top = _Folder(at=())
        self._pass = None
        self._done.clear()

    def look(self, now_s: float, *, full: bool) -> Iterator[Coordinates]:
        """Yield the files that are not done in folders that changed, in the order of time.

        Stopped early, it continues with the next look.

        Parameters
        ----------
        full
            List folders even if their time did not change.

        Raises
        ------
        OSError
            When a folder cannot be read.
        """
        if self._pass is None:
            self._pass = self._visit(self._top, self._root, now_s, full=full)
        yield from _without_closing(self._pass)
        self._pass = None

    def _visit(
        self, folder: _Folder, path: Path, now_s: float, *, full: bool
    ) -> Iterator[Coordinates]:
        try:
            state = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            folder.mtime_ns, folder.inner = None, {}
            return
        if not stat.S_ISDIR(state.st_mode):
            return
        if state.st_mtime_ns != folder.mtime_ns:
            folder.mtime_ns, folder.changed_s, folder.listed_s = state.st_mtime_ns, now_s, None
        listed_s = folder.listed_s
        lists = full or listed_s is None or listed_s - folder.changed_s < _COARSE_S
        places = self._list(folder, path) if lists else [(*folder.at, n) for n in folder.inner]
        if places and len(places[0]) == self._dims:
            yield from places
        else:
            yield from self._enter(folder, path, sorted(places), now_s, full=full)
        if lists:
            folder.listed_s = now_s

    def _enter(
        self, folder: _Folder, path: Path, places: list[Coordinates], now_s: float, *, full: bool
    ) -> Iterator[Coordinates]:
        """Visit folders within a folder, and keep those that are not done."""
        for at in places:
            number = at[-1]
            inner = folder.inner.pop(number, None) or _Folder(at=at)
            if not self._is_done(at):
                yield from self._visit(inner, path / str(number), now_s, full=full)
            if not self._is_done(at):
                folder.inner[number] = inner

    def _list(self, folder: _Folder, path: Path) -> list[Coordinates]:
        """Return files or folders in a folder that are not done, in the order of time."""
        self.listed += 1
        with os.scandir(path) as entries:
            names = [entry.name for entry in entries]
        if folder.at:
            inner = ((*folder.at, n) for name in names if (n := _number(name)) is not None)
            return sorted(at for at in inner if not self._is_done(at))
        found = []
        for name in names:
            if not name.startswith(self._first):
                continue
            rest = name[len(self._first) :]
            first = _number(rest if self._nested else rest.partition(".")[0])
            if first is None or first in self._done:
                continue
            if self._is_done((first,)):
                self._done.add(first)
                continue
            at = (first,) if self._nested else _coordinates(rest, self._dims)
            if at is not None and not self._is_done(at):
                found.append(at)
        return sorted(found)


def _without_closing(places: Iterator[Coordinates]) -> Iterator[Coordinates]:
    """Yield from another iterator without closing it, so that it can be continued later."""
    for place in places:  # noqa: UP028 - `yield from` would close it
        yield place


def _number(name: str) -> int | None:
    """Return the number in a name, written as writers do; None for any other name."""
    if not name.isdecimal() or not name.isascii() or len(name) > _LONGEST_NUMBER:
        return None
    return int(name) if name[0] != "0" or name == "0" else None


def _coordinates(name: str, dims: int) -> Coordinates | None:
    found = []
    for part in name.split("."):
        number = _number(part)
        if number is None:
            return None
        found.append(number)
    return tuple(found) if len(found) == dims else None
