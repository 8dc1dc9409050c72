"""When an alert is raised, escalated and resolved: one pure state machine per rule and subject.

The condition and the alert that reports it are separate states:

    clear --bad for `consecutive` observations, from `from_day` on--> standing
    standing --clear (limit - hysteresis) for `consecutive` observations--> clear

    silent   --standing; no cooldown, not held, no quiet hours or critical--> RAISED
    notified --critical now, or unacknowledged for `escalate_after_h`-->      ESCALATED
    notified --clear, and so the newest observation; no quiet hours-->       RESOLVED

A change that is held back is reported when the reason to hold it ends, if it still holds; one that
came and went meanwhile is never reported. Between two RAISED there is always a RESOLVED. `step` is
the only transition function; the store keeps the state, so a restart forgets nothing.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import isfinite

from scopewatch.core.alerts.quiet_hours import QuietHours
from scopewatch.core.alerts.rules import AlertRule, RuleKind, Severity
from scopewatch.core.estimation.forecast import Silence
from scopewatch.core.estimation.smoothing import WellPoint
from scopewatch.core.public_names import AS_EXPERIMENT

__all__ = [
    "AlertRule",
    "AlertState",
    "Cause",
    "Change",
    "Evidence",
    "Observation",
    "QuietHours",
    "Reading",
    "RuleKind",
    "Severity",
    "Subject",
    "Transition",
    "step",
]


class Change(StrEnum):
    """What happened to an alert. The values are stored: never rename one."""

    RAISED = "raised"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


class Cause(StrEnum):
    """The kind of trouble, where a rule can recognise it. The values are stored."""

    DETACHMENT = "detachment-like"
    CONTAMINATION = "contamination-like"
    CHANGE = "change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an alert is about: a well, a plate (`well` None), or the run (both None)."""

    run: str = field(metadata=AS_EXPERIMENT)
    plate: str | None = None
    well: str | None = None

    def __post_init__(self) -> None:
        if self.well is not None and self.plate is None:
            raise ValueError(f"a well lies on a plate: {self}")

    def __str__(self) -> str:
        return " / ".join(part for part in (self.run, self.plate, self.well) if part)

    def covered_by(self, rule: AlertRule) -> bool:
        """Return whether a rule covers this subject."""
        return rule.covers(self.run, self.plate, self.well)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An efficiency with its interval, 0 to 1."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The evidence of an observation: all that a message shows. Codes and figures, no prose.

    Parameters
    ----------
    now
        The running estimate of the well on the observation's day.
    trend_per_day
        Change of its efficiency per day.
    target
        The efficiency that it should reach.
    forecast, final_day, probability
        What it is expected to come to, when, and P(final < target).
    cannot_forecast, silence
        Why there is no forecast, as one line and as its code; empty and None where there is one or
        none was asked for.
    points
        The time points behind `now`, for a picture of the trend.
    wells
        Plate-wide: the wells that fail, in the order of the plate.
    out_of
        Plate-wide: how many wells could be judged.
    cause
        The kind of trouble, where it is recognised.
    measures
        Other figures, named as the rule's condition says.
    detail
        A line of the program's own (a refusal, a path), shown as it is.
    """

    now: Reading | None = None
    trend_per_day: float | None = None
    target: float | None = None
    forecast: Reading | None = None
    final_day: float | None = None
    probability: float | None = None
    cannot_forecast: str = ""
    silence: Silence | None = None
    points: tuple[WellPoint, ...] = ()
    wells: tuple[str, ...] = ()
    out_of: int = 0
    cause: Cause | None = None
    measures: dict[str, float] = field(default_factory=dict)
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One observation of a subject, or a tick of the clock.

    Parameters
    ----------
    at
        When it became known (the daemon's clock, aware UTC); cooldown and quiet hours run on it.
        A moment before the last one counts as the last one.
    day
        Day of the differentiation run, may be fractional; None: the rule knows no days.
    score
        In the unit of the rule's kind, larger is worse; None: nothing could be judged, which
        neither feeds nor breaks a series (a mere tick of the clock, too).
    """

    at: datetime
    day: float | None = None
    score: float | None
    evidence: Evidence = Evidence()

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError(f"observation without a time zone: {self.at}")
        if self.score is not None and not isfinite(self.score):
            raise ValueError(f"score is not finite: {self.score}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """The state of one rule for one subject; `core.alerts.serialisation` is its JSON.

    Parameters
    ----------
    raised
        Whether the condition holds, reported or not.
    streak
        Observations in a row that contradict `raised`.
    critical_streak
        Observations in a row beyond the critical limit.
    severity
        Severity of the condition; None while it does not hold.
    notified
        The severity that was reported; None while no report is open.
    notified_at
        When an alert was last raised: cooldown and escalation run from here.
    last
        The newest judged observation, as long as a report of it may still be due.
    at
        The newest moment seen.
    """

    raised: bool = False
    streak: int = 0
    critical_streak: int = 0
    severity: Severity | None = None
    notified: Severity | None = None
    notified_at: datetime | None = None
    last: Observation | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A change that is reported to the operator.

    Parameters
    ----------
    severity
        Present severity of the alert; of a RESOLVED one, the severity that was last reported.
    observation
        The newest one that could be judged.
    at
        When the change is reported, which may be later than `observation.at`.
    """

    rule: AlertRule
    change: Change
    severity: Severity
    observation: Observation
    at: datetime


def step(
    state: AlertState,
    rule: AlertRule,
    observation: Observation,
    *,
    hold: bool = False,
    acknowledged: bool = False,
) -> tuple[AlertState, Transition | None]:
    """Advance one rule of one subject by one observation, or by a tick of the clock.

    Parameters
    ----------
    hold
        True while a plate-wide alert covers the subject, or may yet: nothing is raised or
        escalated; it is reported later if the condition still holds.
    acknowledged
        True when a person has seen the alert: its age no longer makes it critical.
    """
    at = observation.at if state.at is None else max(observation.at, state.at)
    state = replace(state, at=at)
    early = observation.day is not None and observation.day < rule.from_day
    if observation.score is not None and not early:
        state = _see(state, rule, observation, observation.score)
    return _notify(_age(state, rule, at, acknowledged=acknowledged), rule, at, hold=hold)


def _see(state: AlertState, rule: AlertRule, observation: Observation, score: float) -> AlertState:
    """Update the condition by a judged observation."""
    contradicts = rule.clear(score) if state.raised else rule.bad(score)
    streak = state.streak + 1 if contradicts else 0
    critical = state.critical_streak + 1 if rule.critical(score) else 0
    raised = state.raised
    if streak >= rule.consecutive:
        raised, streak = not raised, 0
    severity = state.severity if raised else None
    if raised:
        grave = critical >= rule.consecutive
        severity = Severity.CRITICAL if grave else severity or rule.severity
    return replace(
        state,
        raised=raised,
        streak=streak,
        critical_streak=min(critical, rule.consecutive),
        severity=severity,
        last=observation,
    )


def _age(state: AlertState, rule: AlertRule, at: datetime, *, acknowledged: bool) -> AlertState:
    """Make an alert critical that stayed open too long without an acknowledgement."""
    if rule.escalate_after_h is None or acknowledged or not state.raised:
        return state
    if state.notified is None or state.notified_at is None:
        return state
    if at - state.notified_at < timedelta(hours=rule.escalate_after_h):
        return state
    return replace(state, severity=Severity.CRITICAL)


def _notify(
    state: AlertState, rule: AlertRule, at: datetime, *, hold: bool
) -> tuple[AlertState, Transition | None]:
    """Return the change since the last report, unless there is a reason to wait."""
    change = _pending(state)
    quiet = rule.quiet_hours is not None and rule.quiet_hours.hold(at)
    cooling = state.notified_at is not None and at < state.notified_at + rule.cooldown
    if change is Change.RESOLVED:
        # Bad again since it cleared in quiet hours: no all-clear before the next observation.
        wait = quiet or state.streak > 0
    else:
        wait = hold or (quiet and state.severity is not Severity.CRITICAL)
        wait = wait or (change is Change.RAISED and cooling)
    if change is None or state.last is None or wait:
        idle = change is None and not state.raised
        return (replace(state, last=None) if idle else state), None
    severity = state.severity or state.notified or rule.severity
    transition = Transition(
        rule=rule, change=change, severity=severity, observation=state.last, at=at
    )
    if change is Change.RESOLVED:
        return replace(state, notified=None, last=None), transition
    notified_at = at if change is Change.RAISED else state.notified_at
    return replace(state, notified=severity, notified_at=notified_at), transition


def _pending(state: AlertState) -> Change | None:
    """Return the change that is not reported yet."""
    if not state.raised:
        return Change.RESOLVED if state.notified is not None else None
    if state.notified is None:
        return Change.RAISED
    graver = state.severity is not None and state.severity.rank > state.notified.rank
    return Change.ESCALATED if graver else None
