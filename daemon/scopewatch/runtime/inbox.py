"""The bounded queue between the sources and the worker.

    source --offer--> [waiting ...] --take--> in hand --done--> forgotten
                           ^---------put_back----'

File frames wait on disk: when the queue is full an offer is turned down, counted, and comes again
with the source's next scan. What is waiting or in hand is never queued twice.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from scopewatch.core.frame import FrameTicket, Refusal
from scopewatch.core.ports import Clock

Item = FrameTicket | Refusal
_Place = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxCounts:
    """What the inbox did since the start.

    Parameters
    ----------
    taken_in
        Items queued.
    repeated
        Offers of what was waiting or in hand already.
    turned_down
        Offers refused because the queue was full: they come again.
    """

    taken_in: int = 0
    repeated: int = 0
    turned_down: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    item: Item
    since_s: float


class BoundedInbox:
    """First in, first out; implements `ports.Inbox`. All methods may be called by any thread.

    Parameters
    ----------
    capacity
        Items that may wait.
    """

    def __init__(self, capacity: int, clock: Clock) -> None:
        if capacity < 1:
            raise ValueError(f"an inbox holds at least one item, not {capacity}")
        self._capacity = capacity
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: OrderedDict[_Place, _Waiting] = OrderedDict()
        self._in_hand: dict[_Place, Item] = {}
        self._taken_in = self._repeated = self._turned_down = 0
        self._closed = False

    def offer(self, ticket: FrameTicket) -> bool:
        """Take a ticket; False when full, or while an older state of it is being worked on."""
        return self._put(ticket)

    def refuse(self, refusal: Refusal) -> bool:
        """Take note of something that cannot become a frame; False when full."""
        return self._put(refusal)

    def take(self, timeout_s: float) -> Item | None:
        """Return the oldest item and hold it as in hand; None after `timeout_s` or once closed.

        Whoever takes an item calls `done` or `put_back` with it.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, timeout_s)
            if self._closed or not self._waiting:
                return None
            place, waiting = self._waiting.popitem(last=False)
            self._in_hand[place] = waiting.item
            return waiting.item

    def done(self, item: Item) -> None:
        """Forget an item that was taken: the ledger knows it now."""
        with self._changed:
            self._in_hand.pop(_place(item), None)

    def put_back(self, item: Item) -> None:
        """Queue an item that was taken once more, behind the others, even when full."""
        with self._changed:
            self._in_hand.pop(_place(item), None)
            self._waiting[_place(item)] = _Waiting(item=item, since_s=self._clock.monotonic())
            self._changed.notify()

    def close(self) -> None:
        """Hand nothing out and take nothing in any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def depth(self) -> int:
        """Items waiting."""
        return len(self._waiting)

    @property
    def counts(self) -> InboxCounts:
        """What happened since the start."""
        with self._changed:
            return InboxCounts(
                taken_in=self._taken_in,
                repeated=self._repeated,
                turned_down=self._turned_down,
            )

    def oldest_s(self) -> float:
        """Seconds the oldest item has been waiting; 0 when none is."""
        with self._changed:
            first = next(iter(self._waiting.values()), None)
            return self._clock.monotonic() - first.since_s if first else 0.0

    def _put(self, item: Item) -> bool:
        place = _place(item)
        with self._changed:
            in_hand = self._in_hand.get(place)
            if in_hand is not None:
                self._repeated += 1
                return in_hand.fingerprint == item.fingerprint
            waiting = self._waiting.get(place)
            if waiting is not None:
                # A file that changed meanwhile keeps its turn; only its latest state counts.
                self._repeated += 1
                self._waiting[place] = _Waiting(item=item, since_s=waiting.since_s)
                return True
            if self._closed or len(self._waiting) >= self._capacity:
                self._turned_down += 1
                return False
            self._taken_in += 1
            self._waiting[place] = _Waiting(item=item, since_s=self._clock.monotonic())
            self._changed.notify()
            return True


def _place(item: Item) -> _Place:
    return item.source, item.locator
