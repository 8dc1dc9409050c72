"""Bounded cache of side files, which describe many images; read again only when they changed.

A program rewrites such a file in place, so that it is empty or half written for a moment, and it
may be large: the last complete version is kept, and a large one is not read again at once.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from scopewatch.event_log import get_logger
from scopewatch.sources.readers.planes import ReadLimits

log = get_logger(__name__)

_KEPT = 16
# Reading may take this share of the time, where a file grows with each image.
_SHARE = 0.1

Version = tuple[int, int]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kept:
    version: Version
    value: Any
    not_before_s: float


class SideFiles:
    """The side files last used; shared by the threads of a source and of the worker.

    Parameters
    ----------
    kept
        How many are held in memory.
    monotonic
        Clock in seconds, to measure how long reading takes.
    """

    def __init__(
        self,
        limits: ReadLimits,
        *,
        kept: int = _KEPT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._most = kept
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: OrderedDict[Path, _Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def read(
        self,
        path: Path,
        parse: Callable[[BinaryIO, Path], T | None],
        enough: Callable[[T], bool],
    ) -> tuple[Version | None, T | None]:
        """Return version and content of a side file; None where none was complete so far.

        Parameters
        ----------
        parse
            Reads the open file; returns None, or raises ValueError, where it is incomplete.
        enough
            Returns whether the content of a former version is enough for now.
        """
        version = version_of(path)
        if version is None:
            return None, None
        with self._lock:
            known = self._kept.get(path)
        now_s = self._monotonic()
        value: T | None = known.value if known is not None else None
        if known is not None and (
            known.version == version
            or (value is not None and now_s < known.not_before_s and enough(value))
        ):
            self._keep(path, known)
            return known.version, value
        value = self._parse(path, version, parse)
        took_s = self._monotonic() - now_s
        if value is None and known is not None:
            value = known.value
        not_before_s = now_s + took_s / _SHARE
        self._keep(path, _Kept(version, value, not_before_s))
        return version, value

    def _parse(
        self, path: Path, version: Version, parse: Callable[[BinaryIO, Path], T | None]
    ) -> T | None:
        if version[0] > self._limits.max_text_bytes:
            log.warning(
                "side file is too large, it is not read",
                path=str(path),
                bytes=version[0],
                limit=self._limits.max_text_bytes,
            )
            return None
        try:
            with path.open("rb") as file:
                return parse(file, path)
        except (OSError, ValueError, RecursionError) as error:
            # Usually it is being rewritten; else the next version is read.
            log.info("side file is not complete", path=str(path), reason=str(error))
            return None

    def _keep(self, path: Path, kept: _Kept) -> None:
        with self._lock:
            self._kept[path] = kept
            self._kept.move_to_end(path)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


def version_of(path: Path) -> Version | None:
    """Return size and time of a file, which identify its version; None where there is none."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns
