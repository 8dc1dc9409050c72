"""The present state of a time-lapse that scopewatch acquires, and of its focus."""

from dataclasses import dataclass
from datetime import datetime

from scopewatch.core.acquisition.orders import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Why nothing is acquired for now.

    Parameters
    ----------
    act
        A pause or a medium change.
    height_um
        Where the focus goes back to; None where it was not moved.
    until
        When it ends by itself; None: when somebody resumes it.
    """

    act: Act
    by: str
    since: datetime
    height_um: float | None = None
    until: datetime | None = None

    @property
    def why(self) -> str:
        """One line, which names who."""
        what = "medium change" if self.act is Act.MEDIUM else "paused"
        return f"{what} by {self.by}, since {self.since:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class FocusPoint:
    """How the focus went at a time point.

    Parameters
    ----------
    drift_um
        How far from the plan it was found; None where it was not.
    failed
        Places where it was not found.
    """

    time_point: int
    at: datetime
    drift_um: float | None
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FocusStanding:
    """State of the focus of a time-lapse.

    Parameters
    ----------
    time_point
        The last one at which it was looked for; None before.
    drift_um
        How far from the plan it was found then, or last; None where it never was.
    focused, failed
        Positions whose focus was found then, and places where it was not.
    reason
        Why the first of those failed; '' where none did.
    course
        The newest time points, oldest first.
    """

    method: str
    time_point: int | None = None
    drift_um: float | None = None
    focused: int = 0
    failed: int = 0
    reason: str = ""
    course: tuple[FocusPoint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AcquisitionStanding:
    """State of a time-lapse that scopewatch acquires.

    Parameters
    ----------
    next_time_point, next_at
        The one that is due next, and when; None where none is.
    held
        Why nothing is acquired for now; None where it goes on.
    focus
        None where it is not looked for.
    due
        The last time point that was due; None before the first.
    skips_dead
        Whether a well that is marked dead is left out.
    """

    source: str
    time_points: int
    next_time_point: int | None
    next_at: datetime | None
    held: Held | None = None
    focus: FocusStanding | None = None
    due: int | None = None
    skips_dead: bool = False
