"""Reads names of scored files again after a change of the settings that name frames.

A result keeps the name under which it was scored. After such a change, its file may be read under
another name, or its moment may become known: it is offered again, so that the ledger compares;
nothing is decoded. This walks the folder once more, in small steps, since new files come first.
"""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice

from scopewatch.core.errors import FrameError
from scopewatch.event_log import get_logger
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.offering import BATCH, Offering
from scopewatch.sources.folder.frames import FolderFrames
from scopewatch.sources.folder.walk import Seen

log = get_logger(__name__)

PER_STEP = 20


class RereadNames:
    """Reads the names of scored files again, once after each start where the settings changed.

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

    @property
    def busy(self) -> bool:
        """Whether names are still to be read."""
        return self._ahead is not None or bool(self._waiting)

    def step(self, offering: Offering) -> bool:
        """Read a few names and offer the result; False when the inbox is full.

        Raises
        ------
        StoreError
            When the ledger cannot be read.
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
                found = ()  # gone, or being written: then it is found as new
            # Planes of stacks are offered together, as they are found.
            found = tuple(one for one in found if one.z is None)
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
                "names of scored files are read again, since naming settings changed",
                source=self._source,
            )

    def _next(self, ahead: Iterator[Seen]) -> list[Found]:
        """Return the next files of the folder; none at its end."""
        try:
            files = list(islice(ahead, BATCH))
        except OSError as error:
            log.info("folder cannot be read", folder=self._source, reason=error.strerror)
            files = []
        if not files:
            self._ahead = None
        return [Found(locator=each.locator, fingerprint=each.fingerprint) for each in files]
