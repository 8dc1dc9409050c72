"""`scopewatch run` on a clock that another process moves ahead.

    python -m benchmarks.history.fast_daemon CLOCK CONFIG

CLOCK is a file of eight bytes: seconds by which time is ahead of the machine's. The time of day and
the steady clock move ahead together, as on a machine that sleeps between two time points; the
monotonic clock, by which the daemon waits, is the machine's. All else is what the command runs.
"""

import mmap
import struct
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from scopewatch.cli.daemon import run
from scopewatch.runtime import clock

AHEAD: Final = struct.Struct("<d")


class MovedClock(clock.SystemClock):
    """The machine's clocks, ahead by what a file says."""

    def __init__(self, file: Path) -> None:
        with file.open("rb") as opened:
            self._ahead = mmap.mmap(opened.fileno(), AHEAD.size, access=mmap.ACCESS_READ)

    def now(self) -> datetime:
        """Return the time of day of the run, aware UTC."""
        return super().now() + timedelta(seconds=self._ahead_s)

    def steady(self) -> float:
        """Return seconds that never jump back."""
        return super().steady() + self._ahead_s

    @property
    def _ahead_s(self) -> float:
        (seconds,) = AHEAD.unpack(self._ahead[:])
        return float(seconds)


def move(file: Path, ahead_s: float) -> None:
    """Set how far the clock of a daemon is ahead."""
    with file.open("r+b" if file.exists() else "wb") as opened:
        opened.write(AHEAD.pack(ahead_s))


if __name__ == "__main__":
    moved = MovedClock(Path(sys.argv[1]))
    # The command makes its own clock, of this name, when it builds the daemon.
    clock.SystemClock = lambda: moved  # type: ignore[assignment,misc]
    run(Path(sys.argv[2]))
