"""The bounded queue between the sources and the worker.

    source --offer--> [waiting ...] --take--> taken --done--> forgotten
                           ^---------put_back----'

File frames wait on disk: when the queue is full an offer is turned down, counted, and comes again
with the source's next scan. What is waiting or taken is never queued twice.

The earliest time point comes out first. A scan of a folder finds frames in any order, and after a
night without the daemon the wells of a plate must be judged time point by time point, not one well
to its end and then the next.
"""

import threading
from dataclasses import dataclass, replace

from scopewatch.core.clock import Clock
from scopewatch.core.imaging.moment import Moment
from scopewatch.core.tickets import FrameTicket, Refusal

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
        Offers of what was waiting or taken already.
    turned_down
        Offers refused because the queue was full: they come again.
    """

    taken_in: int = 0
    repeated: int = 0
    turned_down: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """An item in the queue; its round says which items put back came before it."""

    item: Item
    since_s: float
    round: int
    number: int

    @property
    def turn(self) -> tuple[int, int, int]:
        """Return the order of items, smallest first: refusals first, they are quick."""
        time_point = self.item.key.time_point if isinstance(self.item, FrameTicket) else -1
        return self.round, time_point, self.number


class BoundedInbox:
    """Earliest time point first; implements `core.source.Inbox`. Any thread may call its methods.

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
        self._waiting: dict[_Place, _Waiting] = {}
        self._taken: dict[_Place, Item] = {}
        self._round = self._number = 0
        self._taken_in = self._repeated = self._turned_down = 0
        self._closed = False

    def offer(self, ticket: FrameTicket) -> bool:
        """Take a ticket; False when full, or while an older state of it is being worked on."""
        return self._put(ticket)

    def refuse(self, refusal: Refusal) -> bool:
        """Take note of something that cannot become a frame; False when full."""
        return self._put(refusal)

    def wait(self, timeout_s: float) -> bool:
        """Wait for an item without taking it; False after `timeout_s`, or once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, timeout_s)
            return bool(self._waiting) and not self._closed

    def take(self, timeout_s: float) -> Item | None:
        """Return the next item and note it as taken; None after `timeout_s` or once closed.

        Whoever takes an item calls `done` or `put_back` with it.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, timeout_s)
            if self._closed or not self._waiting:
                return None
            place = min(self._waiting, key=lambda place: self._waiting[place].turn)
            item = self._taken[place] = self._waiting.pop(place).item
            return item

    def done(self, item: Item) -> None:
        """Forget an item that was taken: the ledger knows it now."""
        with self._changed:
            self._taken.pop(_place(item), None)

    def put_back(self, item: Item) -> None:
        """Queue an item that was taken once more, behind the others, even when full."""
        with self._changed:
            self._taken.pop(_place(item), None)
            # Behind what waits now, whatever its time point, and before what comes from here on.
            self._round += 1
            self._queue(item)

    def close(self) -> None:
        """Give no item out and accept none any more."""
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
            since_s = min((waiting.since_s for waiting in self._waiting.values()), default=None)
            return self._clock.monotonic() - since_s if since_s is not None else 0.0

    def _put(self, item: Item) -> bool:
        place = _place(item)
        with self._changed:
            taken = self._taken.get(place)
            if taken is not None:
                self._repeated += 1
                return _state(taken) == _state(item)
            waiting = self._waiting.get(place)
            if waiting is not None:
                # A file that changed meanwhile keeps its turn; only its latest state counts.
                self._repeated += 1
                self._waiting[place] = replace(waiting, item=item)
                return True
            if self._closed or len(self._waiting) >= self._capacity:
                self._turned_down += 1
                return False
            self._taken_in += 1
            self._queue(item)
            return True

    def _queue(self, item: Item) -> None:
        self._number += 1
        self._waiting[_place(item)] = _Waiting(
            item=item, since_s=self._clock.monotonic(), round=self._round, number=self._number
        )
        self._changed.notify()


def _place(item: Item) -> _Place:
    return item.source, item.locator


def _state(item: Item) -> tuple[str, Moment]:
    """Return the content and moment of an offer: an offer that differs in them is a new one."""
    return item.fingerprint, item.moment if isinstance(item, FrameTicket) else Moment()
