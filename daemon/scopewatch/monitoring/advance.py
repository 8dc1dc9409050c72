"""One step of a plate's rules: their states after it, and what has changed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from scopewatch.core.alerts.observation import Subject
from scopewatch.core.alerts.plate import PlateFacts, StateKey, step_plate
from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.alerts.state_machine import AlertState, Transition
from scopewatch.core.alerts.wells import REMEMBERING, Past
from scopewatch.monitoring.schedule import DueStep


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateUpdate:
    """What a step changes of a plate.

    Parameters
    ----------
    states
        The state of each rule for each subject: those given and those that changed.
    stepped
        The time point that states have stepped over now.
    pasts
        What rules remember from now on, where they do.
    transitions
        What to announce, the plate's own first.
    """

    states: Mapping[StateKey, AlertState]
    stepped: Mapping[StateKey, int]
    pasts: Mapping[StateKey, Past]
    transitions: tuple[tuple[Subject, Transition], ...]


def advance(
    rules: Sequence[AlertRule],
    states: Mapping[StateKey, AlertState],
    facts: PlateFacts,
    due: DueStep | None,
    *,
    acknowledged: Collection[StateKey] = (),
) -> PlateUpdate:
    """Step a plate's rules over a time point that is due, or, without one, let time pass.

    Parameters
    ----------
    states
        The state of each rule for each subject; one that is missing is new.
    acknowledged
        Alerts that a person has seen.
    """
    outcome = step_plate(rules, states, facts, acknowledged=acknowledged)
    stepped: dict[StateKey, int] = {}
    pasts: dict[StateKey, Past] = {}
    if due is not None:
        fresh = {well.subject: well for well in facts.wells if well.well in due.fresh}
        known = {rule.name: rule for rule in rules}
        for key in outcome.states:
            name, subject = key
            kind = known[name].kind
            if kind.of_a_plate:
                if due.whole and subject == facts.subject:
                    stepped[key] = due.time_point
            elif subject in fresh:
                stepped[key] = due.time_point
                if kind in REMEMBERING:
                    pasts[key] = fresh[subject].remembered
    return PlateUpdate(
        states=outcome.states, stepped=stepped, pasts=pasts, transitions=outcome.transitions
    )
