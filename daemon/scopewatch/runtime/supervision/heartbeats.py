"""Which stages of the daemon still make progress, on the monotonic clock.

Idle counts as progress: a stage beats whenever it comes round, with work or without.
"""

import threading

from scopewatch.core.clock import Clock


class Heartbeats:
    """Remembers when each stage last came round.

    Parameters
    ----------
    stall_s
        Seconds without a beat after which a stage counts as stalled.
    """

    def __init__(self, clock: Clock, *, stall_s: float) -> None:
        self._clock = clock
        self.stall_s = stall_s
        self._lock = threading.Lock()
        self._last_s: dict[str, float] = {}

    def beat(self, stage: str) -> None:
        """Note that a stage is alive now; its first beat enters it."""
        now_s = self._clock.monotonic()
        with self._lock:
            self._last_s[stage] = now_s

    def leave(self, stage: str) -> None:
        """Expect nothing more of a stage: it was stopped on purpose."""
        with self._lock:
            self._last_s.pop(stage, None)

    def stalled(self) -> dict[str, float]:
        """Return the stalled stages and the seconds each has been silent."""
        now_s = self._clock.monotonic()
        with self._lock:
            silent = {stage: now_s - last_s for stage, last_s in self._last_s.items()}
        return {stage: for_s for stage, for_s in silent.items() if for_s > self.stall_s}
