"""When a frame was taken, as far as that is known.

The order of trust is: the moment itself (`acquired_at`), the time since the run's start
(`elapsed_s`), and, where neither is known, the moment the frame was first seen.
"""

from dataclasses import dataclass
from datetime import datetime

from scopewatch.core.errors import FrameError, complaint

SAME_S = 1.0
"""Moments closer than this are one: formats round to whole seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a frame was taken.

    Parameters
    ----------
    acquired_at
        Aware UTC; None where unknown.
    elapsed_s
        Seconds since the run's start, >= 0: from the name, or index x interval; None where nothing
        says.
    """

    acquired_at: datetime | None = None
    elapsed_s: float | None = None

    @property
    def known(self) -> bool:
        """Whether the moment is known."""
        return self.acquired_at is not None or self.elapsed_s is not None

    def over(self, lesser: "Moment") -> "Moment":
        """Return this moment, completed by a less trusted one."""
        return Moment(
            acquired_at=lesser.acquired_at if self.acquired_at is None else self.acquired_at,
            elapsed_s=lesser.elapsed_s if self.elapsed_s is None else self.elapsed_s,
        )

    def updates(self, recorded: "Moment") -> bool:
        """Return whether this adds to the recorded moment, or contradicts it.

        >>> Moment(elapsed_s=60.0).updates(Moment()), Moment().updates(Moment(elapsed_s=60.0))
        (True, False)
        """
        if self.acquired_at is not None:
            return (
                recorded.acquired_at is None
                or abs((self.acquired_at - recorded.acquired_at).total_seconds()) > SAME_S
            )
        if self.elapsed_s is None or recorded.acquired_at is not None:
            return False
        return recorded.elapsed_s is None or abs(self.elapsed_s - recorded.elapsed_s) > SAME_S


def check_moment(acquired_at: datetime | None, elapsed_s: float | None, where: object) -> None:
    """Refuse times that cannot be placed.

    Raises
    ------
    FrameError
        For a time without a zone, or one before the run's start.
    """
    if acquired_at is not None and acquired_at.tzinfo is None:
        raise FrameError(
            complaint(
                "frame time has no time zone",
                where=where,
                got=acquired_at,
                do="give times with their zone",
            )
        )
    if elapsed_s is not None and not 0 <= elapsed_s < float("inf"):
        raise FrameError(
            complaint(
                "frame lies before the start of its run",
                where=where,
                expected=">= 0 s",
                got=f"{elapsed_s:g} s",
                do="correct the time in the name or the metadata",
            )
        )
