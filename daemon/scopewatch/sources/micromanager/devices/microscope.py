"""What a time-lapse needs of a microscope: open, acquire, close, and its focus."""

from collections.abc import Callable, Sequence
from typing import Protocol

from scopewatch.sources.micromanager.events import Axes, Event, never
from scopewatch.sources.micromanager.focus.drive import Drive


class Microscope(Protocol):
    """What a source needs of a microscope. All methods are called by one thread at a time."""

    def open(self) -> None:
        """Connect. Raises SourceError."""
        ...

    def acquire(
        self,
        events: Sequence[Event],
        saved: Callable[[Axes], None],
        hold: Callable[[], bool] = never,
    ) -> bool:
        """Take images; report each that is on disk.

        Parameters
        ----------
        hold
            Whether no further image is to be begun; False is returned then.

        Raises
        ------
        SourceError
            When some never are; ImagesMissingError where it is known why.
        """
        ...

    def focus_drive(self) -> Drive:
        """Return the focus drive. Raises SourceError."""
        ...

    def interrupt(self) -> None:
        """Make a running `acquire`, or search of the focus, return soon; any thread may call it."""
        ...

    def close(self) -> None:
        """Disconnect; idempotent, never raises."""
        ...
