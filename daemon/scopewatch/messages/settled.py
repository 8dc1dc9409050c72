"""What a commit recorded."""

from dataclasses import dataclass

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.messages.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a commit recorded: for logs, metrics and the progress display.

    Parameters
    ----------
    day
        Day of the run (fractional) on which the frame was taken; None where it has no result.
    """

    key: FrameKey
    quarantined: str | None
    alerts: tuple[Message, ...]
    day: float | None = None
