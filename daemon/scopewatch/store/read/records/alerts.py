"""Alerts, and how their messages fare on each channel."""

from dataclasses import dataclass
from datetime import datetime

from scopewatch.core.alerts.observation import Evidence, Subject
from scopewatch.core.alerts.rules import RuleKind, Severity
from scopewatch.core.well_name import WellName


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
