"""Bounded cache of recently read files, so that checking a growing file again costs little."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from scopewatch.sources.readers.planes import PlaneEntry, ReadLimits
from scopewatch.sources.readers.tiff.documents import OmeDocuments

_KEPT_FILES, _KEPT_PLANES = 256, 20_000
# All planes of a file are read again at each such number of looks: they could have been
# overwritten.
_WHOLE_LOOKS = 64
_NOTHING: Mapping[int, PlaneEntry] = MappingProxyType({})


@dataclass(slots=True)
class _Kept:
    stamp: object
    planes: Mapping[int, PlaneEntry]
    looks: int = 0


class FileMemory:
    """Cache of the files that were read last; thread-safe.

    Attributes
    ----------
    documents
        Their OME-XML.
    """

    def __init__(self, limits: ReadLimits) -> None:
        self.documents = OmeDocuments(limits)
        self._lock = threading.Lock()
        self._kept: OrderedDict[Path, _Kept] = OrderedDict()

    def known(self, path: Path, stamp: object) -> Mapping[int, PlaneEntry]:
        """Return cached planes of a file, by page, if its stamp is unchanged.

        Parameters
        ----------
        stamp
            Everything that holds for all planes: identity of the file, and content of its metadata.
        """
        with self._lock:
            kept = self._kept.get(path)
            if kept is None or kept.stamp != stamp:
                return _NOTHING
            kept.looks += 1
            return _NOTHING if kept.looks % _WHOLE_LOOKS == 0 else kept.planes

    def keep(self, path: Path, stamp: object, planes: Iterable[PlaneEntry]) -> None:
        """Cache planes that are complete."""
        with self._lock:
            before = self._kept.pop(path, None)
            looks = before.looks if before is not None and before.stamp == stamp else 0
            self._kept[path] = _Kept(stamp, {plane.page: plane for plane in planes}, looks)
            held = sum(len(each.planes) for each in self._kept.values())
            while self._kept and (len(self._kept) > _KEPT_FILES or held > _KEPT_PLANES):
                _, forgotten = self._kept.popitem(last=False)
                held -= len(forgotten.planes)

    @property
    def kept(self) -> int:
        """Number of planes held in memory."""
        with self._lock:
            return sum(len(each.planes) for each in self._kept.values())
