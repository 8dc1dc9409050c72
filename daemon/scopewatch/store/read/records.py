"""What queries of the database return: plain values, no rows."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from scopewatch.core.alerts.state_machine import Evidence, RuleKind, Severity, Subject
from scopewatch.core.estimation.forecast import NoForecast, WellForecast
from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.well_name import WellName


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many frames went where.

    Parameters
    ----------
    waiting
        Frames that were claimed but not settled: the one that is worked on, and those a crash left.
    skipped
        Frames of channels that are not scored.
    refused
        Files that never became a frame.
    missed
        Frames that were due and never came.
    last_frame_at
        When the newest frame was settled, aware UTC; None before the first.
    newest_day
        Day of the differentiation run of the newest frame.
    scale_stated
        Whether the newest frame that was scored has a pixel size; None before the first.
    """

    scored: int
    quarantined: int
    waiting: int
    skipped: int
    refused: int
    last_frame_at: datetime | None
    newest_day: float | None
    missed: int = 0
    scale_stated: bool | None = None


def sum_counts(each: Collection[Counts]) -> Counts:
    """Return the counts of some runs together; the day and scale are those of the newest frame."""
    newest: Counts | None = None
    newest_at: datetime | None = None
    for counts in each:
        at = counts.last_frame_at
        if at is not None and (newest_at is None or at > newest_at):
            newest, newest_at = counts, at
    return Counts(
        scored=sum(counts.scored for counts in each),
        quarantined=sum(counts.quarantined for counts in each),
        waiting=sum(counts.waiting for counts in each),
        skipped=sum(counts.skipped for counts in each),
        refused=sum(counts.refused for counts in each),
        missed=sum(counts.missed for counts in each),
        last_frame_at=newest_at,
        newest_day=None if newest is None else newest.newest_day,
        scale_stated=None if newest is None else newest.scale_stated,
    )


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A frame in quarantine or missed, or a file that never became one.

    Parameters
    ----------
    what
        The frame's key, or the file's path where it has none.
    fault
        A value of `core.faults.Fault`, or `unreadable`, `failed`, `refused` (no key),
        `duplicate`, `replaced`, `gap` (it was due and never came).
    asked_again
        Somebody wants it to be tried again, and it waits for its turn.
    """

    what: str
    well: WellName | None
    source: str
    locator: str
    fault: str
    reason: str
    attempts: int
    at: datetime
    asked_again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonRow:
    """How many frames or files are in quarantine for one reason.

    Parameters
    ----------
    fault, what, reason
        As in `RefusedRow`, the latter two of the newest.
    asked_again
        How many of them somebody wants to be tried again.
    """

    fault: str
    count: int
    what: str
    reason: str
    at: datetime
    asked_again: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySelection:
    """Which things in quarantine are to be tried again; what is None does not restrict it.

    Parameters
    ----------
    run
        Files that are no frame are of the run that was under way.
    plate, well
        Frames of these alone.
    what
        A file as its source names it, with all that lies in it, or the key of a frame.
    """

    run: str | None = None
    plate: str | None = None
    well: str | None = None
    fault: str | None = None
    source: str | None = None
    what: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAnswer:
    """What came of a wish.

    Parameters
    ----------
    asked
        Things that are tried again.
    waiting
        Those that wait for it already.
    unwatched
        Sources that are not configured any more: what is theirs stays as it is.
    missed
        Frames that were due and never taken: there is nothing to try.
    """

    asked: int
    waiting: int
    unwatched: tuple[str, ...] = ()
    missed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """How far an alert's message came on one channel; `state` is waiting, delivered, given up."""

    channel: str
    title: str
    state: str
    attempts: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """An alert, standing or resolved.

    Parameters
    ----------
    subject
        A well, a plate, or the whole run (the monitor itself).
    severity
        As its last message named it.
    day
        Of the run on which it was raised; None for the monitor's own alerts.
    evidence, resolution
        What it was raised on, and what resolved it.
    newest, newest_score
        What its rule saw last while it is open; None where that is not known.
    critical_streak
        How many observations in a row lay beyond its rule's critical limit.
    """

    alert: int
    subject: Subject
    rule: str
    kind: RuleKind
    severity: Severity
    raised_at: datetime
    escalated_at: datetime | None
    resolved_at: datetime | None
    day: float | None
    evidence: Evidence
    resolution: Evidence | None
    acknowledged_at: datetime | None
    snoozed_until: datetime | None
    postings: tuple[Posting, ...]
    newest: Evidence | None = None
    newest_score: float | None = None
    critical_streak: int = 0

    @property
    def well(self) -> WellName | None:
        """The well it is about; None where it is about more than one."""
        plate, well = self.subject.plate, self.subject.well
        if plate is None or well is None:
            return None
        return WellName(run=self.subject.run, plate=plate, well=well)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """How one alert channel fares.

    Attributes
    ----------
    delivered
        Since the history began; None where they were not counted, which takes the longer the more
        there are.
    last_error
        Of the newest message that failed.
    """

    channel: str
    waiting: int
    given_up: int
    oldest_waiting_at: datetime | None
    last_error: str | None
    delivered: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A differentiation run; `first_frame_at` is None until a frame of it was scored."""

    name: str
    started_at: datetime | None
    first_frame_at: datetime | None
    simulated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRecord:
    """All that is known of a frame; what is None was not judged, or is not in its file.

    Parameters
    ----------
    pixel_size_um, view_um_per_px
        Width of a pixel of the frame, and of its stain (they differ where it was resampled).
    z, z_planes
        Plane that was scored as the sharpest of a z-stack, and of how many; None for other frames.
    """

    key: FrameKey
    source: str
    locator: str
    state: str
    attempts: int
    fault: str | None
    reason: str | None
    seen_at: datetime
    settled_at: datetime | None
    acquired_at: datetime | None
    day: float | None
    pixel_size_um: float | None
    view_um_per_px: float | None
    positive_fraction: float | None
    efficiency: Efficiency | None
    model_id: str | None
    total_ms: float | None
    overlay: str | None
    stain: str | None
    z: int | None
    z_planes: int | None
