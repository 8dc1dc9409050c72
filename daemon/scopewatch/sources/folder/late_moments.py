"""Frames whose moment became known late: offered again after new frames.

A writer may record only at its end when each plane was taken. The worker takes the earliest time
points first, so that new frames would wait for all frames that only get a date.
"""

from collections.abc import Iterable

from scopewatch.sources.base.found import Found
from scopewatch.sources.base.offering import BATCH, Offering

LATE_S = 5.0
HELD = 20_000


class LateMoments:
    """Frames that were offered before and are to be offered again for their moment.

    Parameters
    ----------
    held
        How many are held at most; others come again when their file is checked.
    """

    def __init__(self, *, held: int = HELD) -> None:
        self._held = held
        self._waiting: dict[str, Found] = {}
        self._due_s = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def keep_back(self, offering: Offering, wanted: Iterable[Found], now_s: float) -> list[Found]:
        """Hold back frames that need work for their moment alone; return the others."""
        new = []
        for each in wanted:
            if offering.pending(each.locator, each.fingerprint):
                new.append(each)
                continue
            if not self._waiting:
                self._due_s = now_s + LATE_S
            if len(self._waiting) < self._held:
                self._waiting[each.locator] = each
        return new

    def step(self, offering: Offering, now_s: float) -> bool:
        """Offer some whose delay is over; False when the inbox is full.

        Raises
        ------
        StoreError
            When the ledger cannot be read; all frames stay held.
        """
        if not self._waiting or now_s < self._due_s:
            return True
        batch = list(self._waiting.values())[:BATCH]
        wanted = offering.unsettled(batch)
        taken = offering.offer(wanted)
        left = {each.locator for each in wanted[taken:]}
        for each in batch:
            if each.locator not in left:
                del self._waiting[each.locator]
        return not left
