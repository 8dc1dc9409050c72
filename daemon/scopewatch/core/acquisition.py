"""Orders to a time-lapse that scopewatch acquires, their outcomes, and its state."""

from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """A line of the journal of a time-lapse.

    Parameters
    ----------
    at
        When it was asked for.
    done
        None while it waits.
    done_at, outcome, height_um, time_point
        As in `Report`; '' and None while it waits.
    target, reason
        As in `Order`.
    """

    number: int
    source: str
    run: str
    act: Act
    by: str
    at: datetime
    done: bool | None = None
    done_at: datetime | None = None
    outcome: str = ""
    height_um: float | None = None
    time_point: int | None = None
    target: Target | None = None
    reason: str = ""

    @property
    def line(self) -> str:
        """One line for people."""
        outcome = self.outcome or "its turn comes"
        at = f"{self.at:%Y-%m-%d %H:%M:%S} UTC"
        act = self.act.value if self.target is None else f"{self.act.value} {self.target.text}"
        why = f" ({self.reason})" if self.reason else ""
        return f"{at}  {self.source}  {act}  by {self.by}{why}: {outcome}"


def holding(entries: Sequence[JournalEntry]) -> JournalEntry | None:
    """Return what holds a time-lapse by its journal, oldest first; None where it goes on."""
    held: JournalEntry | None = None
    for each in entries:
        if each.done and each.act in HOLDS:
            held = each
        elif each.done and each.act is Act.RESUME:
            held = None
    return held


def wells_marked_dead(entries: Sequence[JournalEntry]) -> list[JournalEntry]:
    """Return the entry of each well that is not imaged any more, by a journal, oldest first."""
    return _in_force(entries, Act.DEAD, SKIPS)


def wells_with_more_sites(entries: Sequence[JournalEntry]) -> list[JournalEntry]:
    """Return the entry of each well that has further sites, by a journal, oldest first."""
    return _in_force(entries, Act.MORE_SITES, SITES | {Act.DEAD})


def _in_force(
    entries: Sequence[JournalEntry], begins: Act, acts: frozenset[Act]
) -> list[JournalEntry]:
    """Return the last entry of each well, where that is one that begins."""
    found: dict[tuple[str, str], JournalEntry] = {}
    for each in entries:
        if not each.done or each.target is None or each.act not in acts:
            continue
        well = each.target.whole_well
        found.pop(well, None)
        if each.act is begins:
            found[well] = each
    return list(found.values())


def acts_with_days(
    entries: Sequence[JournalEntry], began_at: datetime
) -> list[tuple[JournalEntry, float]]:
    """Return what people did to a time-lapse, each with its day since the run began."""
    return [
        (each, (each.done_at - began_at) / timedelta(days=1))
        for each in entries
        if each.done and each.done_at is not None and each.act is not Act.NOTE
    ]


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
