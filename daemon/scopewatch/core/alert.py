"""When a well is called weak: a pure state machine per rule and well.

    quiet --below target for `consecutive` observations, from `from_day` on--> raised
    raised --at or above target + hysteresis for `consecutive` observations--> quiet (resolved)

`step` is all there is: state and observation in, state and perhaps a transition out. The store
keeps the state, so a restart forgets nothing.
"""

from dataclasses import dataclass, replace
from enum import StrEnum


class Severity(StrEnum):
    """How urgently a person should look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Change(StrEnum):
    """What happened to an alert."""

    RAISED = "raised"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """A well is weak when its running efficiency stays below a target.

    Parameters
    ----------
    name
        Stored with each alert; unique in a configuration.
    target
        Efficiency to reach, 0 to 1.
    from_day
        No judgement before this day of the differentiation run.
    consecutive
        Observations in a row that must agree before anything changes.
    hysteresis
        The efficiency must exceed target + hysteresis to resolve, so that a well at the
        target does not flap.
    """

    name: str
    target: float
    from_day: float
    consecutive: int
    hysteresis: float
    severity: Severity = Severity.WARNING

    def __post_init__(self) -> None:
        if not (0 < self.target < 1 and 0 <= self.hysteresis < 1):
            raise ValueError(f"target and hysteresis are fractions: {self}")
        if self.consecutive < 1 or self.from_day < 0:
            raise ValueError(f"consecutive is >= 1 and from_day >= 0: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The running efficiency of a well on a day of the run (may be fractional)."""

    day: float
    efficiency: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """Where one rule stands for one well."""

    raised: bool = False
    streak: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A change the operator should hear of."""

    rule: AlertRule
    change: Change
    observation: Observation


def step(
    state: AlertState, rule: AlertRule, observation: Observation
) -> tuple[AlertState, Transition | None]:
    """Advance one rule of one well by one observation."""
    if observation.day < rule.from_day:
        return state, None
    if state.raised:
        contradicts = observation.efficiency >= rule.target + rule.hysteresis
    else:
        contradicts = observation.efficiency < rule.target
    if not contradicts:
        return replace(state, streak=0), None
    if state.streak + 1 < rule.consecutive:
        return replace(state, streak=state.streak + 1), None
    change = Change.RESOLVED if state.raised else Change.RAISED
    return (
        AlertState(raised=not state.raised, streak=0),
        Transition(rule=rule, change=change, observation=observation),
    )
