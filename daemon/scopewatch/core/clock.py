"""Time as it is given to whoever needs it."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time comes in through here, so that tests own it."""

    def now(self) -> datetime:
        """Return the time of day, aware UTC: for records."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never jump: for durations."""
        ...

    def steady(self) -> float:
        """Return seconds that never jump and go on while the machine sleeps: for the experiment's.

        Cells and cameras go on meanwhile, the daemon's own waits do not.
        """
        ...
