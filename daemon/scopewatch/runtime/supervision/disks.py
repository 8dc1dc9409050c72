"""The free space of the disks where results and images are written."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from scopewatch.core.alerts.monitor import disk_low
from scopewatch.core.alerts.observation import Observation
from scopewatch.event_log import get_logger

log = get_logger(__name__)

# On one disk the reading may differ by what is written between two of them.
_SAME_DISK_BYTES: Final = 16_000_000


class Disks:
    """Observes the fullest of some disks.

    Parameters
    ----------
    free_bytes
        Reads the free space, by place; may raise OSError.
    """

    def __init__(self, free_bytes: Mapping[str, Callable[[], int]]) -> None:
        self._free_bytes = dict(free_bytes)
        self._unread: set[str] = set()

    def observe(self, now: datetime) -> Observation | None:
        """Return what is free on the fullest disk; None where none can be read."""
        free: dict[str, int] = {}
        for where, free_bytes in self._free_bytes.items():
            try:
                free[where] = free_bytes()
            except OSError as error:
                if where not in self._unread:
                    log.warning("free space cannot be read", where=where, why=error.strerror)
                self._unread.add(where)
            else:
                self._unread.discard(where)
        if not free:
            return None
        least = min(free.values())
        fullest = [where for where, each in free.items() if each - least < _SAME_DISK_BYTES]
        return disk_low(at=now, free_bytes=least, where=", ".join(sorted(fullest)))
