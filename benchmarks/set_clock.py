"""A clock that is set, for histories that are made up."""

import time
from datetime import datetime


class SetClock:
    """A clock that stays where it is set."""

    def __init__(self, at: datetime) -> None:
        self.wall = at

    def now(self) -> datetime:
        """Return the time of day it is set to."""
        return self.wall

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()

    def steady(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()
