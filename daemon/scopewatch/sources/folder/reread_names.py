"""Names of scored files, read again after a correction of what names them.

A result stays under the name it was scored under. Where the settings changed that name frames, its
file may be read under another name now, or its moment may be known: it is offered again, for the
ledger to compare; nothing is decoded. The folder is walked for that once more, a piece at a time,
since new files come first.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice

from scopewatch.core.errors import FrameError
from scopewatch.sources.base.offering import BATCH, Found, Offering
from scopewatch.sources.folder.frames import FolderFrames
from scopewatch.sources.folder.walk import Seen

log = logging.getLogger(__name__)

PER_STEP = 20


class RereadNames:
    """Reads the names of scored files again, once after each start where that is due.

    Parameters
    ----------
    walk
        Yields every file of the folder.
    """

    def __init__(
        self, source: str, frames: FolderFrames, walk: Callable[[], Iterator[Seen]]
    ) -> None:
        self._source = source
        self._frames = frames
        self._walk = walk
        self._asked: Offering | None = None
        self._ahead: Iterator[Seen] | None = None
        self._piece: list[Found] = []
        self._waiting: deque[Found] = deque()

    def step(self, offering: Offering) -> bool:
        """Read a few names and offer what they say now; False when the inbox is full.

        Raises
        ------
        StoreError
            When the ledger cannot be asked.
        """
        if self._asked is not offering:
            self._begin(offering)
        if self._ahead is not None and not self._waiting:
            self._piece = self._piece or self._next(self._ahead)
            self._waiting.extend(offering.misnamed(self._piece))
            self._piece = []
        for _ in range(min(PER_STEP, len(self._waiting))):
            each = self._waiting[0]
            try:
                found = self._frames.describe(each.locator, each.fingerprint).found
            except FrameError:
                found = ()  # gone, or being written: that is told where it is seen as new
            if offering.offer_again(found) < len(found):
                return False
            self._waiting.popleft()
        return True

    def _begin(self, offering: Offering) -> None:
        changed = offering.names_changed()
        self._asked = offering
        self._piece = []
        self._waiting.clear()
        self._ahead = self._walk() if changed else None
        if changed:
            log.info(
                "names of scored files are read again, since what names them changed",
                extra={"event": {"source": self._source}},
            )

    def _next(self, ahead: Iterator[Seen]) -> list[Found]:
        """Return the next files of the folder; none at the end of it."""
        try:
            files = list(islice(ahead, BATCH))
        except OSError as error:
            log.info(
                "folder cannot be read",
                extra={"event": {"folder": self._source, "reason": error.strerror}},
            )
            files = []
        if not files:
            self._ahead = None
        return [Found(locator=each.locator, fingerprint=each.fingerprint) for each in files]
