"""A reload as the supervisor sees it: checked in another thread while the daemon works on.

Its states:

    idle --begin()--> checking --refused, or it took too long--> idle, or once more
                               '-in order--> the supervisor ends, and the daemon is built again
"""

from collections.abc import Callable
from typing import Protocol

from scopewatch.core.clock import Clock
from scopewatch.event_log import get_logger
from scopewatch.runtime.process.sd_notify import SystemdNotifier

log = get_logger(__name__)

# A check that waits for a dead share is given up. The daemon goes on meanwhile.
WITHIN_S = 120.0


class Reloader(Protocol):
    """Checks whether what is configured now could replace what runs."""

    def begin(self, done: Callable[[bool], None]) -> None:
        """Begin the check; call `done` from another thread with whether it passed."""
        ...

    def give_up(self, why: str) -> None:
        """Count what was begun as refused; its `done` is not called any more."""
        ...


class Reload:
    """The reload that is under way, if one is; used by the supervisor's thread alone.

    Parameters
    ----------
    reloader
        Checks a reload; None when there is none.
    found
        Called by any thread once a check has ended, with whether what is configured now can run.
    """

    def __init__(
        self,
        reloader: Reloader | None,
        *,
        notifier: SystemdNotifier,
        clock: Clock,
        found: Callable[[bool], None],
    ) -> None:
        self._reloader = reloader
        self._notifier = notifier
        self._clock = clock
        self._found = found
        self._since_s: float | None = None
        self._again = False

    def begin(self) -> None:
        """Begin to check what is configured now."""
        if self._reloader is None:
            return
        if self._since_s is not None:
            # Files may have changed since they were read: look once more afterwards.
            self._again = True
            return
        self._since_s = self._clock.monotonic()
        self._notifier.reloading(self._since_s)
        log.info("reloading")
        self._reloader.begin(self._found)

    def refused(self) -> bool:
        """Note that the check failed; False when it is repeated."""
        self._since_s = None
        if not self._again:
            return True
        self._again = False
        self.begin()
        return False

    def give_up_late(self) -> bool:
        """Give up a check that takes too long; True when that leaves one refused."""
        if self._since_s is None or self._clock.monotonic() - self._since_s < WITHIN_S:
            return False
        if self._reloader is not None:
            self._reloader.give_up(f"the check did not end within {WITHIN_S:g} s")
        return True
