"""Bounded queue of retry requests, from any thread to the thread of their source."""

from collections import deque
from collections.abc import Sequence

from scopewatch.core.errors import complaint
from scopewatch.core.tickets import RetryRequest

RETRIES_HELD = 1000


class RetryQueue:
    """A bounded queue: any thread adds, the thread of the source removes.

    Parameters
    ----------
    capacity
        How many requests are held; others stay in the ledger.
    """

    def __init__(self, capacity: int = RETRIES_HELD) -> None:
        self._capacity = capacity
        self._waiting: deque[RetryRequest] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, asked: Sequence[RetryRequest]) -> int:
        """Add as many requests as there is room for; return how many."""
        room = max(0, self._capacity - len(self._waiting))
        self._waiting.extend(asked[:room])
        return min(room, len(asked))

    def next(self, at_most: int) -> list[RetryRequest]:
        """Return the next requests; they stay until `done`."""
        return [self._waiting[number] for number in range(min(at_most, len(self._waiting)))]

    def done(self, count: int) -> None:
        """Remove the first `count` requests."""
        for _ in range(count):
            self._waiting.popleft()


def gone(where: object) -> str:
    """Return why something that is gone cannot be tried again."""
    return complaint(
        "frame or file to be tried again is gone",
        where=where,
        do="put it back and try again, or ignore this",
    )
