"""Files beside images that tell of many of them, read again only when they changed.

A program rewrites such a file in place, so that it is empty or half there for a moment, and it may
be large: the last version that was read whole is kept, and a large one is not read again at once.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from scopewatch.sources.readers.planes import ReadLimits

log = logging.getLogger(__name__)

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
    """The side files last used; shared by a source's thread and the worker's.

    Parameters
    ----------
    kept
        How many are held in memory.
    monotonic
        Seconds; for how long reading takes.
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
        """Return the version of a side file, and what it says; None where none was whole so far.

        Parameters
        ----------
        parse
            Reads the open file; returns None, or raises ValueError, where it is not whole.
        enough
            Tells whether what a former version said will do for now.
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
                "file beside images is too large, it is not read",
                extra={
                    "event": {
                        "path": str(path),
                        "bytes": version[0],
                        "limit": self._limits.max_text_bytes,
                    }
                },
            )
            return None
        try:
            with path.open("rb") as file:
                return parse(file, path)
        except (OSError, ValueError, RecursionError) as error:
            # It is being rewritten, mostly; else the next version is read.
            log.info(
                "file beside images is not whole",
                extra={"event": {"path": str(path), "reason": str(error)}},
            )
            return None

    def _keep(self, path: Path, kept: _Kept) -> None:
        with self._lock:
            self._kept[path] = kept
            self._kept.move_to_end(path)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


def version_of(path: Path) -> Version | None:
    """Return size and time of a file, which tell its versions apart; None where there is none."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns
