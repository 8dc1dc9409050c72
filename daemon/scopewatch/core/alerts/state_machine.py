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

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from scopewatch.core.alerts.observation import Observation
from scopewatch.core.alerts.rules import AlertRule, Severity


class Change(StrEnum):
    """What happened to an alert. The values are stored: never rename one."""

    RAISED = "raised"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


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
