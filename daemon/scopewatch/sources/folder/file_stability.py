"""When a file that appeared may be trusted: once it has been quiet for a while.

A pure state machine, driven by what the folder source sees:

    see (new, or changed) --> restless --quiet for settle_s--> ripe --whole--> forgotten
                                 ^                              |
                                 +---- changed -----------------+--broken--> tried again later,
                                                                  and given up after give_up_s

One that changes again and again is looked into now and then, since it may be a stack that grows:
what that holds so far is whole. How often a broken file is tried again doubles, so that a file that
never gets whole costs little. The number of files in hand is bounded; the others are seen again at
the next walk.

One that was given up is looked at again when it changes, and at rescans (`GivenUp`): a program
may have gone on without a change of size and time, or have taken its control file away.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from scopewatch.core.delays import doubling_s

CANDIDATES = 10_000
# A turn looks at so many again: each is read, and perhaps decoded.
LOOKS = 64
# What such a look costs, in looks that decode nothing.
_COSTLY = 16
_FIRST_RETRY_S = 1.0
_LONGEST_RETRY_S = 60.0


@dataclass(slots=True, kw_only=True)
class Candidate:
    """A file on its way to being trusted; times on the monotonic clock.

    Parameters
    ----------
    locator
        Path relative to the watched folder.
    fingerprint
        Size and time of modification.
    mtime_ns
        To take the oldest first.
    check_at_s
        When it is looked into though it has not been quiet for long enough.
    """

    locator: str
    fingerprint: str
    mtime_ns: int
    quiet_since_s: float
    try_at_s: float
    check_at_s: float
    retries: int = 0

    def quiet_for_s(self, now_s: float) -> float:
        """How long the file has not changed."""
        return now_s - self.quiet_since_s


class FileStability:
    """The files in hand.

    Parameters
    ----------
    settle_s
        Quiet time before a file is tried.
    give_up_s
        Quiet time after which a file that is still broken is given up.
    capacity
        How many files are held at most.
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
        """Tell whether a file is in hand."""
        return locator in self._candidates

    def has_room(self, locator: str) -> bool:
        """Tell whether a file is held or could be; counts it as turned away if not."""
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
        """Note how a file looks now.

        Parameters
        ----------
        in_one_piece
            It was renamed into place, so it may be tried at once.
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
        """Try a file at once, if it is in hand; False where it is not."""
        known = self._candidates.get(locator)
        if known is not None:
            known.try_at_s = now_s
        return known is not None

    def ready(self, now_s: float) -> Iterator[Candidate]:
        """Yield the files to try now, oldest first."""
        due = [each for each in self._candidates.values() if each.try_at_s <= now_s]
        yield from sorted(due, key=lambda each: (each.mtime_ns, each.locator))

    def changing(self, now_s: float) -> list[Candidate]:
        """Return files that change again and again, and are to be looked into all the same."""
        return [
            each
            for each in self._candidates.values()
            if each.check_at_s <= now_s < each.quiet_since_s + self._settle_s
        ]

    def note_checked(self, candidate: Candidate, now_s: float) -> None:
        """Note that a restless file was looked into."""
        candidate.check_at_s = now_s + self._settle_s

    def broken(self, candidate: Candidate, now_s: float) -> bool:
        """Note that a file is not whole; True when it is to be given up."""
        if candidate.quiet_for_s(now_s) >= self._give_up_s:
            return True
        self.later(candidate, now_s)
        return False

    def later(self, candidate: Candidate, now_s: float) -> None:
        """Try a file again after a pause that doubles each time."""
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
        """Return the files in hand."""
        return list(self._candidates)


class GivenUp:
    """Files that were handed on as they are, or are not all written, to be looked at again.

    Parameters
    ----------
    capacity
        How many are remembered; of others the oldest is forgotten, and given up once more.
    looks
        How many are looked at in one turn; more of those that cost little.
    """

    def __init__(self, capacity: int = CANDIDATES, looks: int = LOOKS) -> None:
        self._capacity = capacity
        self._looks = looks
        self._files: dict[str, str] = {}
        self._cheap: set[str] = set()

    def __len__(self) -> int:
        return len(self._files)

    def note(self, locator: str, fingerprint: str, *, cheap: bool = False) -> None:
        """Remember a file as it looks now; it is the last to be looked at.

        Parameters
        ----------
        cheap
            Nothing of it has to be decoded to see that it goes on.
        """
        self.forget(locator)
        self._files[locator] = fingerprint
        if cheap:
            self._cheap.add(locator)
        while len(self._files) > self._capacity:
            self.forget(next(iter(self._files)))

    def holds(self, locator: str, fingerprint: str) -> bool:
        """Tell whether a file was given up as it looks now."""
        return self._files.get(locator) == fingerprint

    def is_growing(self, locator: str) -> bool:
        """Tell whether a file is one that is not all written, of which each plane shows it."""
        return locator in self._cheap

    def fingerprint(self, locator: str) -> str | None:
        """Return how a file looked when it was given up; None where it was not."""
        return self._files.get(locator)

    def forget(self, locator: str) -> None:
        """Drop a file: it is whole, changed, or gone."""
        self._files.pop(locator, None)
        self._cheap.discard(locator)

    def turn(self) -> list[tuple[str, str]]:
        """Return (locator, fingerprint) of those whose turn it is, and put them behind the rest."""
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
