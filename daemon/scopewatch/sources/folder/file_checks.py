"""Checks files of a folder: offers the frames in them, and remembers files that stay open.

A file is checked when it has been quiet for a while, now and then while it keeps changing, and
again where it was given up or a side file lists more.
"""

from collections import deque
from collections.abc import Callable

from scopewatch.core.clock import Clock
from scopewatch.core.errors import FrameError
from scopewatch.event_log import get_logger
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.offering import Offering
from scopewatch.sources.base.stacks.collecting import Stacks
from scopewatch.sources.folder.file_reading import FileReading
from scopewatch.sources.folder.file_stability import LOOKS, Candidate, FileStability, GivenUp
from scopewatch.sources.folder.frames import FolderFrames
from scopewatch.sources.folder.late_moments import LateMoments
from scopewatch.sources.folder.side_file_waits import SideFilePendingError, SideFileWaits
from scopewatch.sources.folder.walk import Seen, look_at
from scopewatch.sources.readers.planes import EmptyFileError

log = get_logger(__name__)

EMPTY = 1000


class FileChecks:
    """Checks the files of one source; used by its thread alone.

    Parameters
    ----------
    source
        Name of the source, for the log.

    Attributes
    ----------
    stability, given_up, awaiting
        Tracked files, files that were given up, and files that wait for a side file.
    stacks
        Planes of stacks of which the sharpest is scored.
    """

    def __init__(
        self,
        source: str,
        frames: FolderFrames,
        stability: FileStability,
        clock: Clock,
        stacks: Stacks,
    ) -> None:
        self._source = source
        self._frames = frames
        self._clock = clock
        self.stability = stability
        self.stacks = stacks
        self._late_stacks: list[Found] = []
        self.given_up = GivenUp()
        self.awaiting = SideFileWaits()
        self._again: deque[tuple[str, str | None]] = deque()
        self._late = LateMoments()
        self._empty: dict[str, None] = {}

    @property
    def detail(self) -> str:
        """What files wait for; '' where none does."""
        empty = f"{len(self._empty)} files are empty so far" if self._empty else ""
        stacks = f"{len(self.stacks)} z-stacks wait for planes" if len(self.stacks) else ""
        return "; ".join(part for part in (self.awaiting.detail, empty, stacks) if part)

    def look_at_given_up(self) -> None:
        """Check files again that were given up, as many as one turn has, and empty ones."""
        for locator in list(self._empty):
            seen = look_at(self._frames.root, locator)
            if seen is None or not seen.fingerprint.startswith("0:"):
                del self._empty[locator]
        more = [each for each in self._again if each[1] is None]
        self._again = deque([*more, *self.given_up.turn()])

    def release(self, offering: Offering, now_s: float, stopping: Callable[[], bool]) -> bool:
        """Check the files that are due; False when the inbox is full."""
        for locator in self.awaiting.changed(now_s):
            if not self.stability.check_now(locator, now_s):
                self._again.append((locator, self.given_up.fingerprint(locator)))
        turns = (
            (self._check_changing, self.stability.changing(now_s)),
            (self._look, self.stability.ready(now_s)),
        )
        for look, candidates in turns:
            for candidate in candidates:
                if stopping():
                    return True
                if not look(offering, candidate, now_s):
                    return False
        self._late_stacks += [stack for _, stack in self.stacks.due(now_s)]
        if self._late_stacks and not self._offer(offering, self._late_stacks):
            return False
        self._late_stacks = []
        return self._release_again(offering, stopping) and self._late.step(offering, now_s)

    def _release_again(self, offering: Offering, stopping: Callable[[], bool]) -> bool:
        for _ in range(min(LOOKS, len(self._again))):
            if stopping():
                return True
            if not self._look_again(offering, *self._again[0]):
                return False
            self._again.popleft()
        return True

    def _look(self, offering: Offering, candidate: Candidate, now_s: float) -> bool:
        """Check a file that has been quiet, if it still is."""
        seen = look_at(self._frames.root, candidate.locator)
        if seen is None:
            self.stability.forget(candidate.locator)
        elif seen.fingerprint != candidate.fingerprint:
            self.stability.see(seen.locator, seen.fingerprint, seen.mtime_ns, now_s)
        else:
            return self._try(offering, candidate, now_s)
        return True

    def _try(self, offering: Offering, candidate: Candidate, now_s: float) -> bool:
        """Read a file and offer its frames."""
        locator, fingerprint = candidate.locator, candidate.fingerprint
        reading: FileReading | None = None
        try:
            reading = self._frames.read(locator, fingerprint, offering.pending)
        except FrameError as error:
            if isinstance(error, SideFilePendingError):
                self.awaiting.note(locator, error.missing, waits=True)
            if isinstance(error, EmptyFileError) and not self._frames.listing.names(locator):
                return self._leave_empty(offering, locator, fingerprint)
            if not self.stability.broken(candidate, now_s):
                return True
            self._log_given_up(locator, error)
            found = [self._frames.give_up(locator, fingerprint, error)]
        else:
            self.awaiting.note(locator, reading.missing)
            found = list(reading.found)
            if reading.unfinished is not None and not reading.expects_more:
                if not self._offer(offering, found):
                    return False
                if not self.stability.broken(candidate, now_s):
                    return True
                found += reading.waiting
                if reading.cut_off:
                    found.append(reading.refuse_rest(locator, fingerprint))
        if not self._offer(offering, found):
            return False
        self.stability.forget(locator)
        self.remember(offering, locator, fingerprint, reading)
        return True

    def _check_changing(self, offering: Offering, candidate: Candidate, now_s: float) -> bool:
        """Check a file that keeps changing, such as a growing stack."""
        self.stability.note_checked(candidate, now_s)
        locator = candidate.locator
        try:
            reading = self._frames.read(
                locator, candidate.fingerprint, offering.pending, changing=True
            )
        except FrameError:
            return True  # it is being written, and checked again once it is quiet
        return self._offer(offering, list(reading.found))

    def _look_again(self, offering: Offering, locator: str, fingerprint: str | None) -> bool:
        """Check a file again.

        Parameters
        ----------
        fingerprint
            That of a file which was given up, at that time; None: it was read, and may get more
            facts.
        """
        seen = look_at(self._frames.root, locator)
        if fingerprint is None:
            return seen is None or self._take_up(offering, seen)
        if not self.given_up.holds(locator, fingerprint):
            return True
        if seen is None or seen.fingerprint != fingerprint:
            self.given_up.forget(locator)  # gone, or found as new by the walk
            self.awaiting.forget(locator)
            return True
        return self._try_again(offering, seen)

    def _try_again(self, offering: Offering, seen: Seen) -> bool:
        """Check a file that was given up and has not changed since."""
        locator, fingerprint = seen.locator, seen.fingerprint
        try:
            reading = self._frames.read(locator, fingerprint, offering.pending)
        except FrameError as error:
            if isinstance(error, SideFilePendingError):
                self.awaiting.note(locator, error.missing, waits=True)
            # Offered again, since the worker may have dropped it.
            return self._offer(offering, [self._frames.give_up(locator, fingerprint, error)])
        if not self._offer(offering, list(reading.found)):
            return False
        if offering.unsettled(reading.waiting):
            # Perhaps it was begun since: it gets the full waiting time of a changed file.
            self.given_up.forget(locator)
            self.stability.see(locator, fingerprint, seen.mtime_ns, self._clock.monotonic())
            return True
        self.awaiting.note(locator, reading.missing)
        self.remember(offering, locator, fingerprint, reading)
        return True

    def _leave_empty(self, offering: Offering, locator: str, fingerprint: str) -> bool:
        """Leave an empty file that nothing identifies as a frame until it changes.

        ome-writers creates the files of all positions at the start, and may write to one of them
        minutes or hours later.
        """
        self._empty[locator] = None
        while len(self._empty) > EMPTY:
            del self._empty[next(iter(self._empty))]
        self.stability.forget(locator)
        offering.take(locator, fingerprint)
        return True

    def _log_given_up(self, locator: str, error: FrameError) -> None:
        event = {"source": self._source, "file": locator, "reason": str(error)}
        if isinstance(error, SideFilePendingError):
            log.warning("side file did not list an image in time", **event)
        else:
            log.warning("file was never complete, it is offered as it is", **event)

    def _take_up(self, offering: Offering, seen: Seen) -> bool:
        """Offer facts of a file that became known, such as its moment."""
        try:
            reading = self._frames.describe(seen.locator, seen.fingerprint)
        except FrameError:
            self.awaiting.forget(seen.locator)
            return True
        if not self._offer(offering, list(reading.found)):
            return False
        self.awaiting.note(seen.locator, reading.missing)
        return True

    def remember(
        self, offering: Offering, locator: str, fingerprint: str, reading: FileReading | None
    ) -> None:
        """Remember a file that was offered, complete or given up; its frames are settled singly.

        A file that is being appended to shows its changes; one that has its full size does not.
        """
        if reading is not None and (
            reading.unfinished is None or (reading.expects_more and not reading.awaited)
        ):
            self.given_up.forget(locator)
            offering.take_unless_settled(locator, fingerprint)
        else:
            cheap = reading is not None and reading.expects_more
            self.given_up.note(locator, fingerprint, cheap=cheap)

    def _offer(self, offering: Offering, found: list[Found]) -> bool:
        """Offer what needs work, new frames first; False when the inbox is full."""
        now_s = self._clock.monotonic()
        found = self.stacks.collect(found, now_s)
        wanted = offering.unsettled(found)
        offering.settle_planes(found, wanted)
        new = self._late.keep_back(offering, wanted, now_s)
        return offering.offer(new) == len(new)


def offer(offering: Offering, found: list[Found]) -> bool:
    """Offer what needs work; False when the inbox is full."""
    wanted = offering.unsettled(found)
    return offering.offer(wanted) == len(wanted)
