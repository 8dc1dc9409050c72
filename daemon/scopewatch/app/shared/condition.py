"""What a daemon records of its own condition, for dashboards elsewhere."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import TypeAdapter, ValidationError

from scopewatch.core.clock import Clock
from scopewatch.monitoring.run_facts import DaemonSeen
from scopewatch.runtime.process.restart_history import LivenessStore

CONDITION: Final = "condition"
# Each record costs a commit, so that one is made when something changes, and each minute.
EVERY: Final = timedelta(minutes=1)
_DAEMON: Final = TypeAdapter(DaemonSeen)


class ConditionRecord:
    """Records how the daemon is: its complaints, the frames that wait, since when it watches."""

    def __init__(
        self, store: LivenessStore, daemon: Callable[[], DaemonSeen], clock: Clock
    ) -> None:
        self._store = store
        self._daemon = daemon
        self._clock = clock
        self._last: tuple[datetime, DaemonSeen] | None = None

    def look(self) -> None:
        """Look once; the schedule calls it. Raises StoreError."""
        now, seen = self._clock.now(), self._daemon()
        if self._last is not None:
            at, before = self._last
            # A clock that was set back must not hold it up.
            if timedelta() <= now - at < EVERY and _alike(seen, before):
                return
        self._store.record_liveness(CONDITION, now, _DAEMON.dump_json(seen).decode())
        self._last = now, seen


def read_condition(detail: str) -> DaemonSeen:
    """Return what a daemon recorded of itself; where it cannot be read, that as a complaint."""
    try:
        return _DAEMON.validate_json(detail)
    except ValidationError:
        line = (
            "how the daemon is was recorded by another version; install the same on both machines"
        )
        return DaemonSeen(ready=False, complaints=(line,))


def _alike(seen: DaemonSeen, before: DaemonSeen) -> bool:
    # How many frames wait changes with each of them.
    return replace(seen, waiting=min(seen.waiting, 1)) == replace(
        before, waiting=min(before.waiting, 1)
    )
