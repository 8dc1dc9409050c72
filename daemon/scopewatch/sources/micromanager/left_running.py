"""What a Micro-Manager that outlives the daemon still acquires: backend java.

A daemon that was killed leaves some images that it asked for in the queue of Micro-Manager, which
takes them. Who asked for the missing ones meanwhile would take them twice.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.core.errors import SourceError, complaint

# The stage moves and the preset changes between two exposures.
_BETWEEN_S: Final = 10.0


def expect_rest(config: MicroManagerSourceConfig, growing: Path | None, now: datetime) -> None:
    """Expect that nothing is written into a data set any more.

    Parameters
    ----------
    growing
        The newest data set of the run that its writer did not close; None where there is none.

    Raises
    ------
    SourceError
        When it was written to so recently that its next image may be on its way.
    """
    if config.backend != "java" or growing is None:
        return
    exposures_ms = [each.exposure_ms for each in config.channels]
    exposures_ms += [ms for each in config.positions for ms in each.exposures_ms.values()]
    quiet = timedelta(seconds=_BETWEEN_S + max(exposures_ms, default=0.0) / 1000)
    newest = max((each.stat().st_mtime for each in growing.iterdir()), default=0.0)
    if abs(now - datetime.fromtimestamp(newest, UTC)) < quiet:
        raise SourceError(
            complaint(
                "Micro-Manager may still take images that scopewatch asked for before it ended",
                where=growing,
                expected=f"a data set that rests for {quiet.total_seconds():g} s",
                do="wait: the time-lapse goes on by itself",
            )
        )
