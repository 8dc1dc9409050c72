"""What could not be judged, and wishes to try it again."""

from dataclasses import dataclass
from datetime import datetime

from scopewatch.core.well_name import WellName


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A frame in quarantine or missed, or a file that never became one.

    Parameters
    ----------
    what
        The frame's key, or the file's path where it has none.
    fault
        A value of `core.faults.Fault`, or `unreadable`, `failed`, `refused` (no key),
        `duplicate`, `replaced`, `gap` (it was due and never came).
    asked_again
        Somebody wants it to be tried again, and it waits for its turn.
    """

    what: str
    well: WellName | None
    source: str
    locator: str
    fault: str
    reason: str
    attempts: int
    at: datetime
    asked_again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonRow:
    """How many frames or files are in quarantine for one reason.

    Parameters
    ----------
    fault, what, reason
        As in `RefusedRow`, the latter two of the newest.
    asked_again
        How many of them somebody wants to be tried again.
    """

    fault: str
    count: int
    what: str
    reason: str
    at: datetime
    asked_again: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySelection:
    """Which things in quarantine are to be tried again; what is None does not restrict it.

    Parameters
    ----------
    run
        Files that are no frame are of the run that was under way.
    plate, well
        Frames of these alone.
    what
        A file as its source names it, with all that lies in it, or the key of a frame.
    """

    run: str | None = None
    plate: str | None = None
    well: str | None = None
    fault: str | None = None
    source: str | None = None
    what: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAnswer:
    """What came of a wish.

    Parameters
    ----------
    asked
        Things that are tried again.
    waiting
        Those that wait for it already.
    unwatched
        Sources that are not configured any more: what is theirs stays as it is.
    missed
        Frames that were due and never taken: there is nothing to try.
    """

    asked: int
    waiting: int
    unwatched: tuple[str, ...] = ()
    missed: int = 0
