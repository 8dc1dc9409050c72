"""Offering what a source found to the inbox: each thing once, and again where it got lost.

The ledger is the truth of what is settled. This memory only spares it questions: it forgets
the oldest first, and what it forgot is asked again. What the inbox took and the ledger still
does not know after a while is offered once more, since a worker that could not write (a full
disk, say) had to let it go.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from scopewatch.core.frame import FrameKey, FrameTicket, Refusal
from scopewatch.core.ports import Clock, Inbox, Ledger
from scopewatch.sources.base.reading import FrameReading

BATCH = 500
REMEMBERED = 200_000
REOFFER_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something a source found: a frame with its key, or a reason why it has none.

    Parameters
    ----------
    reading
        How a frame was read: who said what, its moment and scale.
    size_px
        (height, width) of its pixels, where they were looked at.
    missed
        True for a frame that was due and never came: `key` names it, `reason` says why.
    """

    locator: str
    fingerprint: str
    key: FrameKey | None = None
    reason: str = ""
    missed: bool = False
    reading: FrameReading | None = field(default=None, compare=False)
    size_px: tuple[int, int] | None = field(default=None, compare=False)


class Offering:
    """The way from one source to the inbox. Not thread-safe: the source holds its lock.

    Parameters
    ----------
    source
        Name of the source.
    remembered
        How many things are remembered at most.
    reoffer_s
        How long something taken may stay unsettled before it is offered again.
    """

    def __init__(
        self,
        source: str,
        inbox: Inbox,
        ledger: Ledger,
        clock: Clock,
        *,
        remembered: int = REMEMBERED,
        reoffer_s: float = REOFFER_S,
    ) -> None:
        self._source = source
        self._inbox = inbox
        self._ledger = ledger
        self._clock = clock
        self._remembered = remembered
        self._reoffer_s = reoffer_s
        # Hashes instead of texts: a hundred thousand paths would fill the memory of a small board.
        self._settled: dict[int, None] = {}
        self._taken: dict[int, float] = {}
        self.found = 0

    def pending(self, locator: str, fingerprint: str) -> bool:
        """Tell whether something needs work as far as the memory goes: cheap, may say yes."""
        mark = hash((locator, fingerprint))
        if mark in self._settled:
            return False
        taken_at = self._taken.get(mark)
        return taken_at is None or self._clock.monotonic() - taken_at >= self._reoffer_s

    def on_its_way(self, each: Found) -> bool:
        """Tell whether the inbox took something a short while ago."""
        mark = hash((each.locator, each.fingerprint))
        return mark in self._taken and not self.pending(each.locator, each.fingerprint)

    def knows(self, locator: str, fingerprint: str) -> bool:
        """Tell whether something was offered or settled before, as far as the memory goes."""
        mark = hash((locator, fingerprint))
        return mark in self._settled or mark in self._taken

    def unsettled(self, found: Sequence[Found]) -> list[Found]:
        """Return those that need work, by the memory and then by the ledger.

        Raises
        ------
        StoreError
            When the ledger cannot be asked.
        """
        open_ones: list[Found] = []
        wanted = [each for each in found if self.pending(each.locator, each.fingerprint)]
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            settled = self._ledger.settled(
                self._source, [(each.locator, each.fingerprint) for each in batch]
            )
            for each in batch:
                if each.locator in settled:
                    self.settle(each.locator, each.fingerprint)
                else:
                    open_ones.append(each)
        return open_ones

    def acquisition(self, label: str, identity: str) -> int:
        """Return the number, from 1, of an acquisition at a place.

        Raises
        ------
        StoreError
            When the ledger cannot be asked.
        """
        return self._ledger.acquisition(self._source, label, identity)

    def settle(self, locator: str, fingerprint: str) -> None:
        """Remember that something needs no more work."""
        mark = hash((locator, fingerprint))
        self._taken.pop(mark, None)
        self._settled[mark] = None
        _trim(self._settled, self._remembered)

    def take(self, locator: str, fingerprint: str) -> None:
        """Remember that something is on its way, to be looked at again after a while."""
        self._taken[hash((locator, fingerprint))] = self._clock.monotonic()
        _trim(self._taken, self._remembered)

    def offer(self, found: Iterable[Found]) -> int:
        """Offer things known to need work; return how many the inbox took before it was full."""
        taken = 0
        for each in found:
            if not self._give(each):
                break
            taken += 1
            self.found += hash((each.locator, each.fingerprint)) not in self._taken
            self.take(each.locator, each.fingerprint)
        return taken

    def _give(self, each: Found) -> bool:
        seen_at = self._clock.now()
        if each.key is None or each.missed:
            return self._inbox.refuse(
                Refusal(
                    source=self._source,
                    locator=each.locator,
                    fingerprint=each.fingerprint,
                    reason=each.reason,
                    seen_at=seen_at,
                    missed=each.key,
                )
            )
        return self._inbox.offer(
            FrameTicket(
                key=each.key,
                source=self._source,
                locator=each.locator,
                fingerprint=each.fingerprint,
                seen_at=seen_at,
            )
        )


def _trim(memory: dict[int, None] | dict[int, float], limit: int) -> None:
    excess = len(memory) - limit
    for mark in list(islice(memory, max(0, excess))):
        del memory[mark]
