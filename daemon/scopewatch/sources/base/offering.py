"""Offers what a source found to the inbox: each item once, and again where it got lost.

The ledger decides what is settled. This memory only saves questions to it: it forgets the oldest
items first and asks again for those. What the inbox took and the ledger still does not know after a
while is offered once more, since the worker drops what it cannot write (disk full, for example).
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from scopewatch.core.clock import Clock
from scopewatch.core.errors import FrameError, StoreError
from scopewatch.core.source import Inbox, Ledger
from scopewatch.core.tickets import FrameTicket, Refusal, RetryRequest
from scopewatch.sources.base.address import is_text
from scopewatch.sources.base.away import Presence
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.remembered import MOMENT_BITS, Remembered

BATCH = 500
# 4 MB, whether all of it is in use or not: a run of two weeks, 96 wells and 15 minutes has 129,024.
REMEMBERED = 1 << 18
REOFFER_S = 600.0


class Offering:
    """Offers the items of one source to the inbox. Not thread-safe: the source holds its lock.

    Parameters
    ----------
    source
        Name of the source.
    remembered
        How many items are remembered at most.
    reoffer_s
        How long an item that was taken may stay unsettled before it is offered again.
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
        self._reoffer_s = reoffer_s
        # Hashes instead of texts: a hundred thousand paths would fill the memory of a small board.
        self._memory = Remembered(remembered)
        self.found = 0

    def pending(self, locator: str, fingerprint: str) -> bool:
        """Return whether an item needs work as far as is remembered: cheap, may be wrongly True."""
        # Called for every file at each rescan: it allocates nothing.
        return self._is_pending(hash((locator, fingerprint)), 0)

    def on_its_way(self, each: Found) -> bool:
        """Return whether the inbox took an item a short while ago."""
        memo = self._memory.get(_mark(each))
        return memo is not None and memo.taken_s is not None and not self._pending(each)

    def knows(self, locator: str, fingerprint: str) -> bool:
        """Return whether an item was offered or settled before, as far as is remembered."""
        return self._memory.get(hash((locator, fingerprint))) is not None

    def unsettled(self, found: Sequence[Found], *, renamed: bool = False) -> list[Found]:
        """Return items that need work, by the memory and then by the ledger.

        Parameters
        ----------
        renamed
            Whether results count as open that were named under settings other than now.

        Raises
        ------
        StoreError
            When the ledger cannot be read.
        """
        open_ones: list[Found] = []
        wanted = [each for each in found if self._pending(each)]
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            marks = [each.mark() for each in batch]
            if renamed:
                marks = [replace(mark, named=True) for mark in marks]
            settled = self._ledger.settled(self._source, marks)
            for each in batch:
                if each.locator in settled:
                    self._settle(each)
                else:
                    open_ones.append(each)
        return open_ones

    def names_changed(self) -> bool:
        """Return whether scored items of the source were named under settings other than now.

        Raises
        ------
        StoreError
            When the ledger cannot be read.
        """
        return self._ledger.names_changed(self._source)

    def misnamed(self, found: Sequence[Found]) -> list[Found]:
        """Return items that are settled and were named under settings other than now.

        Raises
        ------
        StoreError
            When the ledger cannot be read.
        """
        marks = [each.mark() for each in found if is_text(each.locator)]
        if not marks:
            return []
        settled = self._ledger.settled(self._source, marks)
        named = [replace(each, named=True) for each in marks if each.locator in settled]
        misnamed = settled - self._ledger.settled(self._source, named)
        return [each for each in found if each.locator in misnamed]

    def acquisition(self, label: str, identity: str) -> int:
        """Return the number, from 1, of an acquisition at a place.

        Raises
        ------
        StoreError
            When the ledger cannot be read.
        """
        return self._ledger.acquisition(self._source, label, identity)

    def recall_presence(self, presence: Presence) -> None:
        """Read whether the folder of the source was there before; not now if the ledger is away."""
        with suppress(StoreError):  # `record_presence` asks again, and reports it
            presence.recall(self._source, self._ledger)

    def record_presence(self, presence: Presence) -> None:
        """Record in the ledger that the folder of the source is there. Raises StoreError."""
        presence.record(self._source, self._ledger)

    def settle(self, locator: str, fingerprint: str) -> None:
        """Remember that an item needs no more work."""
        self._settle(Found(locator=locator, fingerprint=fingerprint))

    def take(self, locator: str, fingerprint: str) -> None:
        """Remember that an item was taken, and is to be checked again after a while."""
        self._take(Found(locator=locator, fingerprint=fingerprint))

    def take_unless_settled(self, locator: str, fingerprint: str) -> None:
        """Remember that an item was taken, where it needs work: a plane of a stack may not."""
        memo = self._memory.get(hash((locator, fingerprint)))
        if memo is None or memo.taken_s is not None:
            self.take(locator, fingerprint)

    def settle_planes(self, found: Iterable[Found], open_ones: Iterable[Found]) -> None:
        """Remember that the planes of stacks need no more work, save those of stacks that do."""
        needed = {_mark(each) for each in open_ones}
        for stack in found:
            if _mark(stack) not in needed:
                for plane in stack.planes:
                    self.settle(plane.locator, plane.fingerprint)

    def forget(self, locator: str, fingerprint: str) -> None:
        """Forget that an item was settled or taken, so that it is checked again."""
        self._memory.forget(hash((locator, fingerprint)))

    def give(self, ticket: FrameTicket) -> bool:
        """Offer a frame as the ledger knows it; False when the inbox is full."""
        return self._inbox.offer(ticket)

    def refuse(self, asked: RetryRequest, reason: str) -> bool:
        """Refuse an item that was to be retried, as the ledger knows it; False when full."""
        return self._inbox.refuse(
            Refusal(
                source=self._source,
                locator=asked.locator,
                fingerprint=asked.fingerprint,
                reason=reason,
                seen_at=asked.seen_at,
            )
        )

    def offer(self, found: Iterable[Found]) -> int:
        """Offer items known to need work; return how many the inbox took before it was full."""
        taken = 0
        for each in found:
            if not self._give(each):
                break
            taken += 1
            self.found += not self.knows(each.locator, each.fingerprint)
            self._take(each)
            for plane in each.planes:
                self.take(plane.locator, plane.fingerprint)
        return taken

    def offer_again(self, found: Sequence[Found]) -> int:
        """Offer settled items whose name or moment is read otherwise now; returns as `offer` does.

        Raises
        ------
        StoreError
            When the ledger cannot be read.
        """
        for each in found:
            memo = self._memory.get(_mark(each))
            if memo is not None and memo.taken_s is None:
                self.forget(each.locator, each.fingerprint)
        wanted = self.unsettled(found)
        return len(found) - len(wanted) + self.offer(wanted)

    def _pending(self, each: Found) -> bool:
        return self._is_pending(_mark(each), _moment(each))

    def _is_pending(self, mark: int, moment: int) -> bool:
        memo = self._memory.get(mark)
        if memo is None:
            return True
        taken_s = memo.taken_s
        if taken_s is not None and self._clock.monotonic() - taken_s >= self._reoffer_s:
            return True
        return moment not in (0, memo.moment)

    def _settle(self, each: Found) -> None:
        mark = _mark(each)
        before = self._memory.get(mark)
        known = before.moment if before is not None and before.taken_s is None else 0
        self._memory.settle(mark, _moment(each) or known)

    def _take(self, each: Found) -> None:
        self._memory.take(_mark(each), self._clock.monotonic(), _moment(each))

    def _give(self, each: Found) -> bool:
        seen_at = self._clock.now()
        reason = each.reason
        if each.key is not None and not each.missed:
            try:
                ticket = FrameTicket(
                    key=each.key,
                    source=self._source,
                    locator=each.locator,
                    fingerprint=each.fingerprint,
                    seen_at=seen_at,
                    content=each.content,
                    acquired_at=each.moment.acquired_at,
                    elapsed_s=each.moment.elapsed_s,
                    planes=each.planes,
                )
            except FrameError as error:
                reason = str(error)
            else:
                return self._inbox.offer(ticket)
        return self._inbox.refuse(
            Refusal(
                source=self._source,
                locator=each.locator,
                fingerprint=each.fingerprint,
                reason=reason,
                seen_at=seen_at,
                missed=each.key if each.missed else None,
            )
        )


def _mark(each: Found) -> int:
    return hash((each.locator, each.fingerprint))


def _moment(each: Found) -> int:
    """Return a hash of the moment at which it was taken; 0 where it is not known."""
    return (hash(each.moment) & MOMENT_BITS or 1) if each.moment.known else 0
