"""Quiet hours: the time of day in which only critical alerts are sent."""

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """Hours of the day in which only critical alerts are sent; over midnight when start > end.

    Parameters
    ----------
    start, end
        Wall-clock times in `zone`; the end itself is no longer quiet.
    zone
        IANA name of the time zone (``Asia/Tokyo``).
    """

    start: time
    end: time
    zone: str

    def __post_init__(self) -> None:
        ZoneInfo(self.zone)  # raises on a name that is none
        if self.start == self.end or self.start.tzinfo or self.end.tzinfo:
            raise ValueError(f"quiet hours need two different times without a zone: {self}")

    def hold(self, at: datetime) -> bool:
        """Return whether a moment (aware) lies within the quiet hours."""
        wall = at.astimezone(ZoneInfo(self.zone)).time()
        if self.start < self.end:
            return self.start <= wall < self.end
        return wall >= self.start or wall < self.end
