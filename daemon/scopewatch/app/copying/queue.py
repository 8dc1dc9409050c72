"""What is due of the copies of pictures, in the result database."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final
from uuid import uuid4

from scopewatch.core.clock import Clock
from scopewatch.core.errors import StoreError
from scopewatch.event_log import get_logger
from scopewatch.runtime.copying.copier import DuePicture
from scopewatch.store.database import Database
from scopewatch.store.read import pictures_due
from scopewatch.store.write import picture_queue

log = get_logger(__name__)

_RESULTS: Final = 200


class PictureQueue:
    """Implements `runtime.copying.copier.CopyQueue`.

    Parameters
    ----------
    place
        Where pictures are copied to, as a URL.

    Raises
    ------
    StoreError
        By each method, while the database is away.
    """

    def __init__(self, database: Database, place: str, clock: Clock) -> None:
        self._database = database
        self._place = place
        self._clock = clock
        self._owner = ""

    def owner(self) -> str:
        """Return the name of this history of results among all that may copy to a place."""
        if not self._owner:
            # Not at the start, which must not depend on it.
            with self._database.write_unit() as work:
                now, new = self._clock.now(), uuid4().hex
                self._owner = picture_queue.begin_copies(work.session, self._place, new, now).owner
        return self._owner

    def due(self, limit: int, *, removal: bool) -> Sequence[DuePicture]:
        """Return what is due next."""
        self.owner()
        with self._database.read_unit() as work:
            return pictures_due.due_pictures(work.session, limit, removal=removal)

    def done(self, numbers: Sequence[int]) -> None:
        """Mark as done."""
        with self._database.write_unit() as work:
            picture_queue.forget_due(work.session, numbers)

    def put_last(self, due: DuePicture) -> None:
        """Let others go before a picture that could not be copied."""
        with self._database.write_unit() as work:
            picture_queue.put_last(work.session, due.number, due.path)

    def queue_earlier(self) -> bool:
        """Enter some pictures of before copies were wanted; return whether there were any."""
        with self._database.read_unit() as work:
            if not pictures_due.has_earlier(work.session):
                return False
        with self._database.write_unit() as work:
            picture_queue.queue_earlier(work.session, _RESULTS, self._clock.now())
        return True

    def counts(self) -> tuple[int, int]:
        """Return how many pictures wait to be copied, and how many copies to be removed."""
        with self._database.read_unit() as work:
            return pictures_due.count_due(work.session)


def end_copies(database: Database, clock: Clock) -> None:
    """Record that pictures are no longer copied, where they were. Raises StoreError."""
    with database.read_unit() as work:
        if not pictures_due.has_copies(work.session):
            return
    with database.write_unit() as work:
        picture_queue.end_copies(work.session, clock.now())


class CopyRemovals:
    """Has copies removed of pictures that retention removes.

    A full disk, which refuses to record them, must not keep pictures: they are removed all the
    same, and recorded once there is room.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._late: list[str] = []

    def before(self, pictures: Iterable[Path]) -> None:
        """Record that the copies of these pictures are to be removed, or remember it."""
        self._late += [each.relative_to(self._folder).as_posix() for each in pictures]
        try:
            self.catch_up()
        except StoreError as error:
            log.warning("removal of copies is recorded later", why=str(error))

    def catch_up(self) -> None:
        """Record what could not be before. Raises StoreError."""
        if not self._late:
            return
        with self._database.write_unit() as work:
            uncopied = pictures_due.waiting_of(work.session, self._late)
            picture_queue.queue_pictures(work.session, self._late, removal=True)
        self._late = []
        if uncopied:
            log.warning("pictures removed before they were copied", files=len(uncopied))
