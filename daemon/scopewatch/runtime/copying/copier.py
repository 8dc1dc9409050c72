"""The stage that copies pictures elsewhere, in a thread of its own that nothing waits for.

Pictures are on this machine's disk and their results committed before it begins; it holds up no
frame. What was copied is marked in the database, some dozens at a time: after a kill the last of
them are copied once more, which changes nothing. Its thread has no heartbeat, since a place that
does not answer must not end the daemon: it is a complaint instead.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from scopewatch.core.clock import Clock
from scopewatch.core.errors import ScopewatchError
from scopewatch.event_log import get_logger
from scopewatch.runtime.copying.lane import Lane

log = get_logger(__name__)

POLL_S: Final = 5.0
BATCH: Final = 64
# So that marks are written, and an end is noticed, also where copies take long.
_BATCH_S: Final = 5.0
_SILENT_S: Final = 30.0
# Of the time that all stages have to end: a copy under way is not waited for.
_END_S: Final = 0.5

_Answer = TypeVar("_Answer")


class DuePicture(Protocol):
    """A picture that is to be copied, or whose copy is to be removed."""

    @property
    def number(self) -> int:
        """By which it is marked as done."""
        ...

    @property
    def path(self) -> str:
        """Relative to the folder of pictures."""
        ...


class CopyQueue(Protocol):
    """What is due. Every method may raise StoreError."""

    def due(self, limit: int, *, removal: bool) -> Sequence[DuePicture]:
        """Return what is due next."""
        ...

    def done(self, numbers: Sequence[int]) -> None:
        """Mark as done."""
        ...

    def put_last(self, due: DuePicture) -> None:
        """Let others go before a picture that could not be copied."""
        ...

    def queue_earlier(self) -> bool:
        """Enter some pictures of before copies were wanted; return whether there were any."""
        ...

    def counts(self) -> tuple[int, int]:
        """Return how many pictures wait to be copied, and how many copies to be removed."""
        ...


class CopyPlace(Protocol):
    """Where pictures are copied to. Every method may raise ScopewatchError, and may take long."""

    def claim(self) -> None:
        """Refuse a place that another daemon copies to."""
        ...

    def copy(self, path: str) -> bool:
        """Copy a picture as it is now; False where it is gone."""
        ...

    def remove(self, path: str) -> None:
        """Remove a copy, where there is one."""
        ...


@dataclass(slots=True)
class CopyCounts:
    """Since the start: copied, removed there, and gone here before they were copied."""

    copied: int = 0
    removed: int = 0
    gone: int = 0


class _Ended(Exception):  # noqa: N818 - no error
    """The stage was left: nothing is asked of the database any more."""


class PictureCopier:
    """Copies what is due, and removes what is to be removed; in between it waits.

    Parameters
    ----------
    where
        The place, as people are shown it.

    Attributes
    ----------
    counts
        What was done since the start.
    waiting
        How many pictures wait to be copied, as of the last look.
    """

    def __init__(self, queue: CopyQueue, place: CopyPlace, *, where: str, clock: Clock) -> None:
        self._queue = queue
        self._place = place
        self._where = where
        self._clock = clock
        self._copying = Lane(clock)
        self._removing = Lane(clock)
        self._claimed = False
        self._began_s: float | None = None
        self._stopping = threading.Event()
        self._left = False
        self._database = threading.Lock()
        self._thread: threading.Thread | None = None
        self.counts = CopyCounts()
        self.waiting = 0

    def start(self) -> None:
        """Begin; nothing is asked of the place in the caller's thread."""
        self._thread = threading.Thread(target=self._run, name="copies", daemon=True)
        self._thread.start()

    def stop(self, within_s: float) -> bool:
        """End; a copy that is under way is left, and made again after the next start."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(min(within_s, _END_S))
        # The database is closed after this: what the thread does from now on is marked nowhere.
        with self._database:
            self._left = True
        return True

    def running(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def failing(self) -> bool:
        """Whether the place cannot be written to."""
        return bool(self._copying.why or self._removing.why or self._silent())

    def troubles(self) -> Sequence[str]:
        """Return what is wrong, one line each; any thread may ask."""
        found = []
        if self._silent():
            found.append(
                f"copies of pictures: {self._where} has given no answer for more than"
                f" {_SILENT_S:.0f} s; frames are judged meanwhile"
            )
        for lane, what in (
            (self._copying, "pictures cannot be copied"),
            (self._removing, "copies of old pictures cannot be removed"),
        ):
            why, since = lane.why, lane.since
            if why and since is not None:
                found.append(
                    f"{what} since {since:%Y-%m-%d %H:%M} UTC: {why}; frames are judged, and all"
                    " is made up for later"
                )
        return found

    def round(self) -> bool:
        """Do some of what is due; return whether there is more to be done at once."""
        more = False
        for lane, removal in ((self._copying, False), (self._removing, True)):
            if self._stopping.is_set() or lane.rests:
                continue
            try:
                more |= self._work(lane, removal=removal)
            except _Ended:
                return False
            except Exception as error:  # noqa: BLE001
                # The boundary of the thread: whatever it is, it is tried again.
                self._note_failure(lane, error, removal=removal)
        return more

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self.round():
                self._stopping.wait(POLL_S if not self.failing else 1.0)

    def _work(self, lane: Lane, *, removal: bool) -> bool:
        due = self._ask(lambda: self._queue.due(BATCH, removal=removal))
        if not due:
            if not removal and self._ask(self._queue.queue_earlier):
                return True
            if not removal:
                self.waiting = 0
            self._note_success(lane, removal=removal)
            return False
        self.waiting = self._ask(self._queue.counts)[0]
        self._began_s = began_s = self._clock.monotonic()
        done: list[int] = []
        try:
            if not self._claimed:
                self._place.claim()
                self._claimed = True
            for each in due:
                self._do(each, removal=removal)
                done.append(each.number)
                self._began_s = now_s = self._clock.monotonic()
                if self._stopping.is_set() or now_s - began_s > _BATCH_S:
                    break
        except Exception:
            if self._claimed and not removal:
                failed = due[len(done)]
                self._ask(lambda: self._queue.put_last(failed))
            raise
        finally:
            self._began_s = None
            if done:
                self._ask(lambda: self._queue.done(done))
            self.waiting = self._ask(self._queue.counts)[0]
        self._note_success(lane, removal=removal)
        if len(due) == BATCH or len(done) < len(due):
            return True
        return not removal and self._ask(self._queue.queue_earlier)

    def _do(self, due: DuePicture, *, removal: bool) -> None:
        if removal:
            self._place.remove(due.path)
            self.counts.removed += 1
        elif self._place.copy(due.path):
            self.counts.copied += 1
        else:
            self.counts.gone += 1

    def _ask(self, question: Callable[[], _Answer]) -> _Answer:
        with self._database:
            if self._left:
                raise _Ended
            return question()

    def _silent(self) -> bool:
        began_s = self._began_s
        return began_s is not None and self._clock.monotonic() - began_s > _SILENT_S

    def _note_failure(self, lane: Lane, error: Exception, *, removal: bool) -> None:
        why = str(error) if isinstance(error, ScopewatchError) else type(error).__name__
        if not lane.failed(why):
            return
        if removal:
            log.warning("copies of pictures cannot be removed", place=self._where, why=why)
        else:
            log.warning("pictures cannot be copied", place=self._where, why=why)

    def _note_success(self, lane: Lane, *, removal: bool) -> None:
        if not lane.works():
            return
        if removal:
            log.info("copies of pictures are removed again", place=self._where)
        else:
            log.info("pictures are copied again", place=self._where, waiting=self.waiting)
