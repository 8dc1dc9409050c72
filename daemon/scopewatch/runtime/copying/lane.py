"""One kind of work at a place that may be away: since when it fails, why, and when it goes on."""

from datetime import datetime
from typing import Final

from scopewatch.core.clock import Clock
from scopewatch.runtime.backoff import Backoff

MOST_S: Final = 60.0


class Lane:
    """Counts failures in a row. Copying and removing have one each: neither stops the other.

    Attributes
    ----------
    why
        Why it fails; '' while it does not. Any thread may read it.
    since
        Since when; None while it does not.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._backoff = Backoff(first_s=1.0, most_s=MOST_S)
        self._next_s = float("-inf")
        self.why = ""
        self.since: datetime | None = None

    @property
    def rests(self) -> bool:
        """Whether it waits after a failure."""
        return self._clock.monotonic() < self._next_s

    def failed(self, why: str) -> bool:
        """Count a failure; return whether it is the first in a row."""
        first = self.since is None
        if first:
            self.since = self._clock.now()
        self.why = why
        self._next_s = self._clock.monotonic() + self._backoff.next_s()
        return first

    def works(self) -> bool:
        """Count a success; return whether failures went before it."""
        again = self.since is not None
        self.why, self.since = "", None
        self._backoff.reset()
        return again
