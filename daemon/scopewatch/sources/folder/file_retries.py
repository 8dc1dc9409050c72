"""Retries of files in a folder that did not change, on the request of a person."""

import re
from collections.abc import Callable, Sequence

from scopewatch.core.clock import Clock
from scopewatch.core.errors import FrameError
from scopewatch.core.tickets import RetryRequest
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.offering import Offering
from scopewatch.sources.base.retry_queue import RetryQueue, gone
from scopewatch.sources.folder.file_checks import FileChecks, offer
from scopewatch.sources.folder.file_reading import FileReading
from scopewatch.sources.folder.file_stability import LOOKS
from scopewatch.sources.folder.frames import FolderFrames
from scopewatch.sources.folder.side_file_waits import SideFilePendingError
from scopewatch.sources.folder.walk import Seen, look_at

_PLANE = re.compile(r"(?s)(?P<file>.+)#page=\d{1,9}")


class FileRetries:
    """Queue of retry requests, and the checks they cause; only `waiting.put` is thread-safe.

    Parameters
    ----------
    run
        The watched run: frames of another run keep their name.
    """

    def __init__(self, frames: FolderFrames, checks: FileChecks, clock: Clock, run: str) -> None:
        self._frames = frames
        self._checks = checks
        self._clock = clock
        self._run = run
        self.waiting = RetryQueue()

    def step(self, offering: Offering, stopping: Callable[[], bool]) -> None:
        """Check some files; requests that the inbox has no room for stay for the next time."""
        asked = self.waiting.next(LOOKS)
        done = 0
        while done < len(asked) and not stopping():
            file = file_of(asked[done].locator)
            # Planes of one file are mostly requested together: the file is read once for all of
            # them.
            same = 1
            while done + same < len(asked) and file_of(asked[done + same].locator) == file:
                same += 1
            if not self._look(offering, file, asked[done : done + same]):
                break
            done += same
        self.waiting.done(done)

    def _look(self, offering: Offering, file: str, asked: Sequence[RetryRequest]) -> bool:
        for each in asked:
            offering.forget(each.locator, each.fingerprint)
        seen = look_at(self._frames.root, file)
        if seen is None:
            return all(self._as_it_was(offering, each) for each in asked)
        if self._checks.stability.check_now(file, self._clock.monotonic()):
            return True  # it is being read for the first time, or has changed
        if any(self._is_of_another_run(each) for each in asked):
            return all(self._as_it_was(offering, each) for each in asked)
        offering.forget(file, seen.fingerprint)
        found, reading = self._read(offering, seen)
        stacked = self._checks.stacks.collect(found, self._clock.monotonic())
        if not offer(offering, stacked):
            return False
        self._checks.remember(offering, file, seen.fingerprint, reading)
        listed = {each.locator for each in found}
        return all(self._as_it_was(offering, each) for each in asked if each.locator not in listed)

    def _read(self, offering: Offering, seen: Seen) -> tuple[list[Found], FileReading | None]:
        """Read a file without waiting for it: an incomplete one is refused at once."""
        locator, fingerprint = seen.locator, seen.fingerprint
        try:
            reading = self._frames.read(locator, fingerprint, offering.pending)
        except FrameError as error:
            if isinstance(error, SideFilePendingError):
                self._checks.awaiting.note(locator, error.missing, waits=True)
            return [self._frames.give_up(locator, fingerprint, error)], None
        self._checks.awaiting.note(locator, reading.missing)
        found = [*reading.found, *reading.waiting]
        if reading.cut_off:
            found.append(reading.refuse_rest(locator, fingerprint))
        return found, reading

    def _as_it_was(self, offering: Offering, asked: RetryRequest) -> bool:
        """Offer a frame as the ledger knows it: reading it shows what is wrong."""
        if asked.ticket is not None:
            return offering.give(asked.ticket)
        return offering.refuse(asked, gone(self._frames.root / asked.locator))

    def _is_of_another_run(self, asked: RetryRequest) -> bool:
        return asked.ticket is not None and asked.ticket.key.run != self._run


def file_of(locator: str) -> str:
    """Return the file that holds a frame.

    >>> file_of("a/b.tif#page=3"), file_of("a/b#1.tif")
    ('a/b.tif', 'a/b#1.tif')
    """
    match = _PLANE.fullmatch(locator)
    return match["file"] if match is not None else locator
