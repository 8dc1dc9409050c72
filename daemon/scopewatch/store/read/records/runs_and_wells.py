"""Runs and their wells as they are now, and the course of a well until then."""

from dataclasses import dataclass
from datetime import datetime

from scopewatch.core.alerts.rules import RuleKind, Severity
from scopewatch.core.estimation.forecast import NoForecast, WellForecast
from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.core.well_name import WellName
from scopewatch.store.read.records.frames import Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A differentiation run; `first_frame_at` is None until a frame of it was scored."""

    name: str
    started_at: datetime | None
    first_frame_at: datetime | None
    simulated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """An alert that is raised for a well now.

    `target` and `probability` (of ending below it) are those it was raised with; None where its
    rule has none.
    """

    alert: int
    rule: str
    kind: RuleKind
    severity: Severity
    target: float | None
    acknowledged_at: datetime | None
    snoozed_until: datetime | None
    probability: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What was known of a well at a time point.

    Parameters
    ----------
    day
        Of the time point; `now_day` of the newest judged one, which may lie before it.
    now, low, high
        Where the well stood, smoothed over its time points, with the interval.
    forecast
        What it was expected to come to, or why there is no forecast.
    """

    time_point: int
    day: float
    now_day: float
    now: float
    low: float
    high: float
    trend_per_day: float
    final_day: float
    forecast: WellForecast | NoForecast


@dataclass(frozen=True, slots=True, kw_only=True)
class WellRow:
    """A well as it is now; `efficiency` is None until a frame of it was scored.

    `efficiency` is that of its newest judged time point, `outlook` what follows from all of them.
    `last_frame_at` is when a frame of it was settled last, whatever became of it, `judged_at` when
    a judged one was.
    """

    name: WellName
    time_point: int | None
    day: float | None
    efficiency: Efficiency | None
    scored: int
    quarantined: int
    last_frame_at: datetime | None
    flags: tuple[Flag, ...]
    outlook: Outlook | None = None
    judged_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The wells of a run as they are now, and its frames."""

    wells: tuple[WellRow, ...]
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class CoursePoint:
    """The efficiency of a well at one time point, over the sites that could be judged."""

    time_point: int
    day: float
    efficiency: Efficiency
    sites: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A picture of a well; paths are relative to the overlay folder.

    `drawn_at` is when its frame was settled, right after it was drawn; `pixel_size_um` is None
    where its frame states none.
    """

    overlay: str
    stain: str | None
    site: int
    time_point: int
    day: float
    efficiency: Efficiency
    drawn_at: datetime | None = None
    pixel_size_um: float | None = None
