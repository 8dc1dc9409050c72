"""What a Micro-Manager still acquires that scopewatch asked for and has given up: backend java.

A daemon that was killed, or a bridge that hung, leaves some images that were asked for in the queue
of Micro-Manager, which takes them. Who asked for the missing ones meanwhile would take them twice.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.core.errors import SourceError, complaint
from scopewatch.sources.micromanager.acts.slack import longest_exposure_ms
from scopewatch.sources.micromanager.devices.microscope import Microscope
from scopewatch.sources.micromanager.events import Axes, Event, never
from scopewatch.sources.micromanager.focus.drive import Drive

# The stage moves and the preset changes between two exposures.
_BETWEEN_S: Final = 10.0


class RestedMicroscope:
    """A microscope that is used again only once it rests; implements `microscope.Microscope`.

    Parameters
    ----------
    look
        Looks through the data sets again, and returns the newest where it was not closed. It may
        raise SourceError.
    """

    def __init__(
        self,
        config: MicroManagerSourceConfig,
        microscope: Microscope,
        look: Callable[[], Path | None],
        now: Callable[[], datetime],
    ) -> None:
        self._config = config
        self._look = look
        self._now = now
        self._given_up = False
        self._answers_since: datetime | None = None
        self._microscope = microscope

    def open(self) -> None:
        """Connect. Raises SourceError, also while what was given up may still be taken."""
        self._microscope.open()
        if not self._given_up:
            return
        try:
            # One that hung goes on with its queue only when it answers again.
            self._answers_since = self._answers_since or self._now()
            expect_rest(self._config, self._look(), self._now(), since=self._answers_since)
        except SourceError:
            self._microscope.close()
            raise
        self._given_up, self._answers_since = False, None

    def acquire(
        self,
        events: Sequence[Event],
        saved: Callable[[Axes], None],
        hold: Callable[[], bool] = never,
    ) -> bool:
        """Take images; see `Microscope`. Raises SourceError."""
        return self._microscope.acquire(events, saved, hold)

    def focus_drive(self) -> Drive:
        """Return the focus drive. Raises SourceError."""
        return self._microscope.focus_drive()

    def interrupt(self) -> None:
        """Make a running `acquire`, or search of the focus, return soon; any thread may call it."""
        self._microscope.interrupt()

    def close(self) -> None:
        """Disconnect; what was asked for and did not come may be taken nevertheless."""
        self._given_up = self._config.backend == "java"
        self._microscope.close()


def expect_rest(
    config: MicroManagerSourceConfig,
    growing: Path | None,
    now: datetime,
    *,
    since: datetime | None = None,
) -> None:
    """Expect that nothing is written into a data set any more.

    Parameters
    ----------
    growing
        The newest data set of the run that its writer did not close; None where there is none.
    since
        Since when Micro-Manager answers; None where nothing is known of that.

    Raises
    ------
    SourceError
        When it was written to, or Micro-Manager answers again, so recently that the next image may
        be on its way.
    """
    if config.backend != "java" or growing is None:
        return
    quiet = timedelta(seconds=_BETWEEN_S + longest_exposure_ms(config) / 1000)
    newest = max((each.stat().st_mtime for each in growing.iterdir()), default=0.0)
    begins = [datetime.fromtimestamp(newest, UTC), *([] if since is None else [since])]
    if any(abs(now - each) < quiet for each in begins):
        raise SourceError(
            complaint(
                "Micro-Manager may still take images that scopewatch asked for before",
                where=growing,
                expected=f"a data set that rests for {quiet.total_seconds():g} s",
                do="wait: the time-lapse goes on by itself",
            )
        )
