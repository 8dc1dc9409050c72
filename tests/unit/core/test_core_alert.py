"""When a well is called weak, and when it is well again."""

from typing import Any

import pytest

from scopewatch.core.alert import (
    AlertRule,
    AlertState,
    Change,
    Observation,
    Severity,
    Transition,
    step,
)

RULE = AlertRule(name="weak", target=0.5, from_day=8, consecutive=3, hysteresis=0.05)


def run(
    series: list[float], *, first_day: float = 8, rule: AlertRule = RULE
) -> list[Transition | None]:
    state, changes = AlertState(), []
    for index, efficiency in enumerate(series):
        observation = Observation(day=first_day + index / 2, efficiency=efficiency)
        state, change = step(state, rule, observation)
        changes.append(change)
    return changes


def test_a_well_is_raised_at_the_third_weak_observation_in_a_row() -> None:
    first, second, third, fourth = run([0.4, 0.4, 0.3, 0.3])
    assert (first, second, fourth) == (None, None, None)
    assert third == Transition(
        rule=RULE, change=Change.RAISED, observation=Observation(day=9.0, efficiency=0.3)
    )


def test_one_good_observation_starts_the_count_anew() -> None:
    assert run([0.4, 0.4, 0.5, 0.4, 0.4]) == [None] * 5


def test_days_before_the_first_day_are_not_counted() -> None:
    changes = run([0.1] * 10, first_day=5)
    raised = [index for index, change in enumerate(changes) if change]
    # Day 8 is the seventh observation; two more have to agree.
    assert raised == [8]


def test_a_raised_well_resolves_only_above_the_hysteresis() -> None:
    assert run([0.3] * 3 + [0.52] * 6)[3:] == [None] * 6
    recovered = run([0.3] * 3 + [0.55] * 3)[-1]
    assert recovered is not None
    assert recovered.change is Change.RESOLVED


def test_a_well_at_its_target_is_not_weak() -> None:
    assert run([0.5] * 6) == [None] * 6


def test_a_well_may_be_raised_again_after_it_resolved() -> None:
    changes = [change.change for change in run(([0.3] * 3 + [0.6] * 3) * 2) if change]
    assert changes == [Change.RAISED, Change.RESOLVED] * 2


def test_with_one_observation_enough_the_change_is_immediate() -> None:
    rule = AlertRule(name="now", target=0.5, from_day=0, consecutive=1, hysteresis=0)
    changes = [change.change for change in run([0.4, 0.5], rule=rule) if change]
    assert changes == [Change.RAISED, Change.RESOLVED]


def test_a_state_that_was_stored_goes_on_where_it_stood() -> None:
    stored = AlertState(raised=False, streak=2)
    state, change = step(stored, RULE, Observation(day=9, efficiency=0.1))
    assert state == AlertState(raised=True, streak=0)
    assert change is not None


def test_a_rule_is_a_warning_unless_told_otherwise() -> None:
    assert RULE.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": 0.0}, "target and hysteresis are fractions"),
        ({"target": 50}, "target and hysteresis are fractions"),
        ({"hysteresis": -0.1}, "target and hysteresis are fractions"),
        ({"consecutive": 0}, "consecutive is >= 1 and from_day >= 0"),
        ({"from_day": -1}, "consecutive is >= 1 and from_day >= 0"),
    ],
)
def test_an_impossible_rule_is_refused(change: dict[str, Any], message: str) -> None:
    fields: dict[str, Any] = {
        "name": "weak",
        "target": 0.5,
        "from_day": 8,
        "consecutive": 3,
        "hysteresis": 0.05,
    }
    with pytest.raises(ValueError, match=message):
        AlertRule(**(fields | change))
