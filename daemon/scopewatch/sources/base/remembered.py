"""A table of fixed size that remembers items by their hashes: how far each got, and its moment.

A dictionary would grow with every frame of a run. This table has its size from the start, 16 bytes
for each item; a full row of it drops its oldest item.
"""

import mmap
from typing import Final, NamedTuple

_WAYS: Final = 16
_WORDS: Final = 2
_BYTES: Final = 8
_HALF: Final = 32
MOMENT_BITS: Final = (1 << _HALF) - 1


class Memo(NamedTuple):
    """What is remembered of an item.

    Parameters
    ----------
    taken_s
        Monotonic second at which it was taken; None where it is settled.
    moment
        Hash of the moment at which it was taken, 32 bits; 0 where it was not known.
    """

    taken_s: int | None
    moment: int


class Remembered:
    """Remembers up to `capacity` items by hashes of 64 bits; not thread-safe.

    Parameters
    ----------
    capacity
        How many items are remembered at most. Some are forgotten earlier, since each hash has its
        row of a few places: about one in a thousand where half of the table is in use.
    """

    def __init__(self, capacity: int) -> None:
        self._ways = min(_WAYS, capacity)
        self._rows = -(-capacity // self._ways)
        self._width = self._ways * _WORDS
        # The system gives its pages as they are first written to, all of them zero.
        held = mmap.mmap(-1, self._rows * self._width * _BYTES)
        self._words = memoryview(held).cast("q")

    def __len__(self) -> int:
        """Number of items; for tests, since it goes through the whole table."""
        return sum(1 for key in self._words[::_WORDS] if key)

    def get(self, mark: int) -> Memo | None:
        """Return what is remembered of an item; None where it is unknown or was forgotten."""
        start, place, _ = self._find(mark)
        if place is None:
            return None
        word = self._words[start + place + 1]
        taken_s = word >> _HALF
        return Memo(taken_s - 1 if taken_s else None, word & MOMENT_BITS)

    def settle(self, mark: int, moment: int) -> None:
        """Remember that an item needs no more work."""
        self._put(mark, moment & MOMENT_BITS)

    def take(self, mark: int, taken_s: float, moment: int) -> None:
        """Remember that an item was taken at a monotonic second."""
        self._put(mark, (int(taken_s) + 1) << _HALF | moment & MOMENT_BITS)

    def forget(self, mark: int) -> None:
        """Forget an item."""
        start, place, _ = self._find(mark)
        if place is not None:
            self._words[start + place] = self._words[start + place + 1] = 0

    def _put(self, mark: int, word: int) -> None:
        words = self._words
        start, place, free = self._find(mark)
        end = start + (free if place is None else place)
        # The newest comes first, so that the last, which a full row drops, is the oldest.
        words[start + _WORDS : end + _WORDS] = words[start:end]
        words[start], words[start + 1] = mark or 1, word

    def _find(self, mark: int) -> tuple[int, int | None, int]:
        """Return where its row starts, its place there or None, and the place to fill."""
        mark = mark or 1
        start = mark % self._rows * self._width
        keys = self._words[start : start + self._width : _WORDS].tolist()
        place = keys.index(mark) * _WORDS if mark in keys else None
        free = (keys.index(0) if 0 in keys else self._ways - 1) * _WORDS
        return start, place, free
