"""The real clock."""

import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's time of day and its monotonic counter; implements `ports.Clock`."""

    def now(self) -> datetime:
        """Return the time of day, aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()
