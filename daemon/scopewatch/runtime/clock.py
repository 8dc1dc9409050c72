"""The real clock, and a watch that notices when it is set."""

import sys
import time
from datetime import UTC, datetime
from typing import Final

from scopewatch.core.clock import Clock

# A clock that a time service keeps right drifts or slews by less between two reads.
SET_BY_S: Final = 1.0
_READS: Final = 5


class SystemClock:
    """The machine's time of day and its monotonic counter; implements `core.clock.Clock`."""

    def now(self) -> datetime:
        """Return the time of day, aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never jump; on Linux they stop while the machine sleeps."""
        return time.monotonic()

    def steady(self) -> float:
        """Return seconds that never jump, the machine's sleep included."""
        if sys.platform == "linux":
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()


class ClockWatch:
    """Detects that a person or a time service set the time of day; for one thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead_s = self._read()

    def set_by_s(self) -> float:
        """Return by how many seconds it was set since the last call; 0 where it was not."""
        ahead_s = self._read()
        by_s = ahead_s - self._ahead_s
        if abs(by_s) < SET_BY_S:
            # The reference stays: drift adds up, and counts once it is a second.
            return 0.0
        self._ahead_s = ahead_s
        return by_s

    def _read(self) -> float:
        """Return the time of day minus the steady seconds, both of one moment."""
        for _ in range(_READS):
            steady_s = self._clock.steady()
            ahead_s = self._clock.now().timestamp() - steady_s
            # A thread that was paused between the two would look like a clock that was set.
            if self._clock.steady() - steady_s < SET_BY_S / 2:
                break
        return ahead_s
