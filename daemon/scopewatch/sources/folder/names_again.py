"""Names of scored files, read again after a correction of what names them.

A result stays under the name it was scored under. Where the settings changed that name frames, its
file may be read under another name now, or its moment may be known: it is offered again, for the
ledger to compare; nothing is decoded. A few at a time, since new files come first.
"""

import logging
from collections import deque
from collections.abc import Iterable

from scopewatch.core.errors import FrameError
from scopewatch.sources.base.offering import Found, Offering
from scopewatch.sources.folder.frames import FolderFrames

log = logging.getLogger(__name__)

PER_STEP = 20
HELD = 10_000


class NamesAgain:
    """The files whose names are to be read again.

    Parameters
    ----------
    held
        How many files are held at most; the others come with the next start.
    """

    def __init__(self, source: str, frames: FolderFrames, *, held: int = HELD) -> None:
        self._source = source
        self._frames = frames
        self._held = held
        self._waiting: deque[Found] = deque()
        self._told = False
        self.wanted = False

    def begin(self, offering: Offering) -> None:
        """Ask the ledger whether there is anything to read again. Raises StoreError."""
        self.wanted = offering.names_changed()

    def note(self, offering: Offering, settled: Iterable[Found]) -> None:
        """Take note of files that are settled, as far as their names are to be read again.

        Raises
        ------
        StoreError
            When the ledger cannot be asked.
        """
        if not self.wanted:
            return
        found = offering.misnamed(list(settled))
        self._waiting.extend(found[: self._held - len(self._waiting)])
        if found and not self._told:
            self._told = True
            log.info(
                "names of scored files are read again, since what names them changed",
                extra={"event": {"source": self._source}},
            )

    def step(self, offering: Offering) -> bool:
        """Read a few names and offer what they say now; False when the inbox is full."""
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
