"""Counts failures in a row and gives the delay before the next attempt."""

from scopewatch.core.delays import doubling_s


class Backoff:
    """Delays that double from `first_s` up to `most_s`, and start over after a success.

    Parameters
    ----------
    first_s, most_s
        Shortest and longest delay in seconds.
    """

    def __init__(self, *, first_s: float = 1.0, most_s: float = 60.0) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self.failures = 0

    def next_s(self) -> float:
        """Count a failure and return the seconds to wait after it."""
        delay_s = doubling_s(self.failures, first_s=self._first_s, most_s=self._most_s)
        self.failures += 1
        return delay_s

    def reset(self) -> None:
        """Forget the failures after a success."""
        self.failures = 0
