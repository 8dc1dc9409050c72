"""The `metadata.txt` beside single image files, read again only when it changed."""

import logging
import threading
from collections import OrderedDict
from pathlib import Path

from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts, Statement
from scopewatch.sources.readers.micromanager_metadata import SeriesMetadata, read_series
from scopewatch.sources.readers.planes import ReadLimits

log = logging.getLogger(__name__)

NAME = "metadata.txt"
_KEPT = 8


class SeriesFiles:
    """The metadata files last used; shared by the source's thread and the worker's."""

    def __init__(self, limits: ReadLimits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._kept: OrderedDict[Path, tuple[tuple[int, int], SeriesMetadata]] = OrderedDict()

    def statements(self, image: Path) -> tuple[Statement, ...]:
        """Return what the series' metadata says of an image; none where there is none."""
        facts = self.of(image)
        if facts == NOTHING:
            return ()
        return (Statement(origin=Origin.SET, who=NAME, facts=facts),)

    def of(self, image: Path) -> PlaneFacts:
        """Return what the series' metadata says of an image; nothing where there is none."""
        path = image.parent / NAME
        try:
            state = path.stat()
            version = (state.st_size, state.st_mtime_ns)
            with self._lock:
                known = self._kept.get(path)
            if known is None or known[0] != version:
                known = (version, self._read(path, state.st_size))
        except OSError:
            return PlaneFacts()
        with self._lock:
            self._kept[path] = known
            self._kept.move_to_end(path)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return known[1].of(image.name) or PlaneFacts()

    @property
    def kept(self) -> int:
        """How many metadata files are held in memory."""
        return len(self._kept)

    def _read(self, path: Path, size: int) -> SeriesMetadata:
        if size > self._limits.max_text_bytes:
            log.warning(
                "metadata file is too large, names are used instead",
                extra={"event": {"path": str(path), "bytes": size}},
            )
            return SeriesMetadata(summary={}, images={})
        return read_series(path.read_bytes().decode("utf-8", "replace"))
