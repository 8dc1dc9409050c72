"""Orders to a time-lapse that scopewatch acquires, and their outcomes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Act(StrEnum):
    """Actions on a time-lapse; the values are stored: never rename one."""

    PAUSE = "pause"
    RESUME = "resume"
    NOW = "now"
    MEDIUM = "medium"
    DEAD = "dead"
    ALIVE = "alive"
    MORE_SITES = "more-sites"
    PLANNED_SITES = "planned-sites"
    REIMAGE = "reimage"
    FLUORESCENCE = "fluorescence"
    # Done by the time-lapse itself; recorded for the operator.
    NOTE = "note"


# Who did what nobody asked for.
ITSELF = "scopewatch"
HOLDS = frozenset({Act.PAUSE, Act.MEDIUM})
# Of a well that is not imaged any more, and its undo.
SKIPS = frozenset({Act.DEAD, Act.ALIVE})
# Further sites of a well in doubt, and their undo.
SITES = frozenset({Act.MORE_SITES, Act.PLANNED_SITES})
WELL_ACTS = SKIPS | SITES
# Images beyond the plan, which the time-lapse asks for by itself.
EXTRAS = frozenset({Act.REIMAGE, Act.FLUORESCENCE})
# A flag, or what was asked for because of it, counts no longer than this.
THIS_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The well or image that an act is about.

    Parameters
    ----------
    plate
        '' where the plan has one plate, or one well of that name.
    site, time_point, channel
        Of one image; None where it is about the whole well.
    """

    well: str
    plate: str = ""
    site: int | None = None
    time_point: int | None = None
    channel: str | None = None

    @property
    def whole_well(self) -> tuple[str, str]:
        """Plate and well."""
        return self.plate, self.well

    @property
    def text(self) -> str:
        """A few words for people."""
        parts = [f"well {self.plate}/{self.well}" if self.plate else f"well {self.well}"]
        parts += [f"site {self.site}"] if self.site is not None else []
        parts += [f"time point {self.time_point}"] if self.time_point is not None else []
        parts += [self.channel] if self.channel is not None else []
        return " ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order of a person to a time-lapse.

    Parameters
    ----------
    number
        Grows with each that is asked for.
    by
        Who asked, and how.
    target
        The well or image that it is about; None where it is about the time-lapse.
    reason
        One line; '' where none was given.
    """

    number: int
    act: Act
    by: str
    at: datetime
    target: Target | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of an order, or an action of the time-lapse itself.

    Parameters
    ----------
    number
        Of the order; None where nobody asked.
    done
        Whether it was done; False for what was refused or failed.
    outcome
        One line.
    height_um
        Where the focus was before it was moved away; None where it was not.
    time_point
        The last one that was due by then; None before the first.
    target
        The well or image that it was about, with its plate; None where there is none.
    """

    number: int | None
    act: Act
    at: datetime
    done: bool
    outcome: str
    height_um: float | None = None
    time_point: int | None = None
    target: Target | None = None
