"""Decides when a new file is complete enough to be read: after a quiet time.

A pure state machine, driven by the folder source:

    see (new, or changed) --> changing --quiet for settle_s--> ready --complete--> forgotten
                                 ^                               |
                                 +---- changed ------------------+--broken--> checked again later,
                                                                   and given up after give_up_s

A file that keeps changing is checked now and then, since it may be a growing stack: the planes in
it so far are complete. The pause between checks of a broken file doubles, so that a file that is
never completed costs little. The number of tracked files is bounded; others are found again at the
next walk.

A file that was given up is checked again when it changes, and at rescans (`GivenUp`): a program
may have continued without a change of size and time, or have removed its control file.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from scopewatch.core.delays import doubling_s

CANDIDATES = 10_000
# How many are checked again in one turn: each is read, and perhaps decoded.
LOOKS = 64
# Cost of such a check, in checks that decode nothing.
_COSTLY = 16
_FIRST_RETRY_S = 1.0
_LONGEST_RETRY_S = 60.0


@dataclass(slots=True, kw_only=True)
class Candidate:
    """A tracked file; times on the monotonic clock.

    Parameters
    ----------
    locator
        Path relative to the watched folder.
    fingerprint
        Size and modification time.
    mtime_ns
        Modification time, to check the oldest first.
    check_at_s
        When it is checked although it has not been quiet for long enough.
    """

    locator: str
    fingerprint: str
    mtime_ns: int
    quiet_since_s: float
    try_at_s: float
    check_at_s: float
    retries: int = 0

    def quiet_for_s(self, now_s: float) -> float:
        """Return how long the file has not changed."""
        return now_s - self.quiet_since_s


class FileStability:
    """Tracks the files that are not read yet.

    Parameters
    ----------
    settle_s
        Quiet time before a file is checked.
    give_up_s
        Quiet time after which a file that is still broken is given up.
    capacity
        How many files are tracked at most.
    """

    def __init__(self, settle_s: float, give_up_s: float, capacity: int = CANDIDATES) -> None:
        self._settle_s = settle_s
        self._give_up_s = max(settle_s, give_up_s)
        self._capacity = capacity
        self._candidates: dict[str, Candidate] = {}
        self.turned_away = 0

    def __len__(self) -> int:
        return len(self._candidates)

    def holds(self, locator: str) -> bool:
        """Return whether a file is tracked."""
        return locator in self._candidates

    def has_room(self, locator: str) -> bool:
        """Return whether a file is tracked or could be; if not, it is counted in `turned_away`."""
        if locator in self._candidates or len(self._candidates) < self._capacity:
            return True
        self.turned_away += 1
        return False

    def see(
        self,
        locator: str,
        fingerprint: str,
        mtime_ns: int,
        now_s: float,
        *,
        in_one_piece: bool = False,
    ) -> None:
        """Note the present state of a file.

        Parameters
        ----------
        in_one_piece
            Whether it was renamed into place, so that it may be checked at once.
        """
        known = self._candidates.get(locator)
        if known is not None and known.fingerprint == fingerprint:
            if in_one_piece:
                known.try_at_s = now_s
            return
        if not self.has_room(locator):
            return
        self._candidates[locator] = Candidate(
            locator=locator,
            fingerprint=fingerprint,
            mtime_ns=mtime_ns,
            quiet_since_s=now_s,
            try_at_s=now_s if in_one_piece else now_s + self._settle_s,
            check_at_s=now_s + self._settle_s if known is None else known.check_at_s,
        )

    def check_now(self, locator: str, now_s: float) -> bool:
        """Check a file at once, if it is tracked; False where it is not."""
        known = self._candidates.get(locator)
        if known is not None:
            known.try_at_s = now_s
        return known is not None

    def ready(self, now_s: float) -> Iterator[Candidate]:
        """Yield the files to check now, oldest first."""
        due = [each for each in self._candidates.values() if each.try_at_s <= now_s]
        yield from sorted(due, key=lambda each: (each.mtime_ns, each.locator))

    def changing(self, now_s: float) -> list[Candidate]:
        """Return files that keep changing and are to be checked nevertheless."""
        return [
            each
            for each in self._candidates.values()
            if each.check_at_s <= now_s < each.quiet_since_s + self._settle_s
        ]

    def note_checked(self, candidate: Candidate, now_s: float) -> None:
        """Note that a changing file was checked."""
        candidate.check_at_s = now_s + self._settle_s

    def broken(self, candidate: Candidate, now_s: float) -> bool:
        """Note that a file is not complete; True when it is to be given up."""
        if candidate.quiet_for_s(now_s) >= self._give_up_s:
            return True
        self.later(candidate, now_s)
        return False

    def later(self, candidate: Candidate, now_s: float) -> None:
        """Check a file again after a pause, which doubles each time."""
        give_up_at_s = candidate.quiet_since_s + self._give_up_s
        retry_s = doubling_s(candidate.retries, first_s=_FIRST_RETRY_S, most_s=_LONGEST_RETRY_S)
        pause_s = max(self._settle_s, retry_s)
        candidate.retries += 1
        candidate.try_at_s = now_s + pause_s
        if now_s < give_up_at_s:
            candidate.try_at_s = min(candidate.try_at_s, give_up_at_s)

    def forget(self, locator: str) -> None:
        """Drop a file: it was released, given up, or is gone."""
        self._candidates.pop(locator, None)

    def locators(self) -> list[str]:
        """Return the tracked files."""
        return list(self._candidates)


class GivenUp:
    """Files that were offered incomplete, or are not fully written, and are to be checked again.

    Parameters
    ----------
    capacity
        How many are remembered; the oldest is dropped, and given up once more.
    looks
        How many are checked in one turn; more of those that cost little.
    """

    def __init__(self, capacity: int = CANDIDATES, looks: int = LOOKS) -> None:
        self._capacity = capacity
        self._looks = looks
        self._files: dict[str, str] = {}
        self._cheap: set[str] = set()

    def __len__(self) -> int:
        return len(self._files)

    def note(self, locator: str, fingerprint: str, *, cheap: bool = False) -> None:
        """Remember the present state of a file; it is the last to be checked.

        Parameters
        ----------
        cheap
            Whether nothing has to be decoded to see that it continues.
        """
        self.forget(locator)
        self._files[locator] = fingerprint
        if cheap:
            self._cheap.add(locator)
        while len(self._files) > self._capacity:
            self.forget(next(iter(self._files)))

    def holds(self, locator: str, fingerprint: str) -> bool:
        """Return whether a file was given up in its present state."""
        return self._files.get(locator) == fingerprint

    def is_growing(self, locator: str) -> bool:
        """Return whether a file is not fully written and each of its planes shows that."""
        return locator in self._cheap

    def fingerprint(self, locator: str) -> str | None:
        """Return the fingerprint of a file when it was given up; None where it was not."""
        return self._files.get(locator)

    def forget(self, locator: str) -> None:
        """Drop a file: it is complete, changed, or gone."""
        self._files.pop(locator, None)
        self._cheap.discard(locator)

    def turn(self) -> list[tuple[str, str]]:
        """Return (locator, fingerprint) of the next files to check; they then come last."""
        due: list[tuple[str, str]] = []
        costs = 0
        for locator, fingerprint in self._files.items():
            costs += 1 if locator in self._cheap else _COSTLY
            if costs > self._looks * _COSTLY:
                break
            due.append((locator, fingerprint))
        for locator, fingerprint in due:
            self.note(locator, fingerprint, cheap=locator in self._cheap)
        return due
