"""The clock that all code gets its time from."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Source of all times; tests use a fake one."""

    def now(self) -> datetime:
        """Return the time of day, aware UTC: for records."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never jump: for durations."""
        ...

    def steady(self) -> float:
        """Return seconds that never jump and go on while the machine sleeps: for the run.

        Cells and cameras go on meanwhile, the daemon's own waits do not.
        """
        ...
