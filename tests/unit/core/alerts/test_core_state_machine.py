"""When an alert is reported to the operator, when it is not, and when its end is."""

from dataclasses import replace
from datetime import time
from typing import Any

import pytest

from scopewatch.core.alerts.observation import Evidence, Observation, Reading
from scopewatch.core.alerts.quiet_hours import QuietHours
from scopewatch.core.alerts.rules import AlertRule, Severity
from scopewatch.core.alerts.serialisation import (
    pack_evidence,
    pack_state,
    unpack_evidence,
    unpack_state,
)
from scopewatch.core.alerts.state_machine import AlertState, Change, step
from scopewatch.core.estimation.smoothing import WellPoint
from tests.unit.core.alert_samples import START, changes, drive, hours, seen

RULE = AlertRule(name="weak", target=0.5, from_day=8, consecutive=3, hysteresis=0.05)
AT_ONCE = AlertRule(name="now", consecutive=1, hysteresis=0.05)
NIGHT = QuietHours(start=time(22), end=time(7), zone="UTC")


def run(series: list[float], *, first_day: float = 8, rule: AlertRule = RULE) -> list[Any]:
    """Step a weak-now rule over efficiencies half a day apart."""
    state, transitions = AlertState(), []
    for index, efficiency in enumerate(series):
        observation = Observation(
            at=hours(12 * index), day=first_day + index / 2, score=rule.target - efficiency
        )
        state, transition = step(state, rule, observation)
        transitions.append(transition)
    return transitions


def test_a_well_is_raised_at_the_third_weak_observation_in_a_row() -> None:
    first, second, third, fourth = run([0.4, 0.4, 0.3, 0.3])
    assert (first, second, fourth) == (None, None, None)
    assert (third.rule, third.change, third.severity) == (RULE, Change.RAISED, Severity.WARNING)
    assert third.observation.day == 9
    assert third.observation.score == pytest.approx(0.2)


def test_one_good_observation_starts_the_count_again() -> None:
    assert run([0.4, 0.4, 0.5, 0.4, 0.4]) == [None] * 5


def test_an_observation_that_could_not_be_judged_neither_counts_for_nor_ends_a_series() -> None:
    rule = replace(AT_ONCE, consecutive=3)
    assert changes(drive(rule, [0.1, 0.1, None, None, 0.1])) == [(4, "raised")]


def test_days_before_the_first_day_are_not_counted() -> None:
    # Day 8 is the seventh observation; two more have to agree.
    assert changes(run([0.1] * 10, first_day=5)) == [(8, "raised")]


def test_a_raised_well_resolves_only_above_the_hysteresis() -> None:
    assert run([0.3] * 3 + [0.52] * 6)[3:] == [None] * 6
    assert run([0.3] * 3 + [0.55] * 3)[-1].change is Change.RESOLVED


def test_the_hysteresis_is_met_where_binary_fractions_fall_just_short() -> None:
    rule = AlertRule(name="low", target=0.3, hysteresis=0.05)
    assert 0.3 - 0.35 > -0.05
    assert [each.change for each in run([0.1, 0.35], rule=rule)] == [
        Change.RAISED,
        Change.RESOLVED,
    ]


def test_a_well_at_its_target_is_not_weak() -> None:
    assert run([0.5] * 6) == [None] * 6


def test_a_well_may_be_raised_again_after_it_resolved() -> None:
    transitions = [each.change for each in run(([0.3] * 3 + [0.6] * 3) * 2) if each]
    assert transitions == [Change.RAISED, Change.RESOLVED] * 2


def test_a_state_that_was_stored_goes_on_where_it_stood() -> None:
    before = AlertState(raised=False, streak=2)
    state, transition = step(before, RULE, seen(0.4, day=9))
    assert (state.raised, state.streak, state.notified) == (True, 0, Severity.WARNING)
    assert transition is not None


def test_a_flapping_well_is_reported_once_per_cooldown() -> None:
    rule = replace(AT_ONCE, cooldown_h=24)
    flapping: list[float | None] = [0.1, -0.1] * 5
    # Every six hours; what comes back within the cooldown and goes again is never reported.
    assert changes(drive(rule, flapping, every_h=6)) == [
        (0, "raised"),
        (1, "resolved"),
        (4, "raised"),
        (5, "resolved"),
        (8, "raised"),
        (9, "resolved"),
    ]


def test_what_comes_back_within_the_cooldown_is_reported_at_its_end_if_it_still_is() -> None:
    rule = replace(AT_ONCE, cooldown_h=24)
    transitions = drive(rule, [0.1, -0.1, 0.2, None, None], every_h=6)
    assert changes(transitions) == [(0, "raised"), (1, "resolved"), (4, "raised")]
    assert transitions[4] is not None
    # What it is reported is what was seen, not the tick that set it free.
    assert (transitions[4].observation.score, transitions[4].observation.at) == (0.2, hours(12))
    assert transitions[4].at == hours(24)


def test_a_graver_reading_escalates_once() -> None:
    rule = replace(AT_ONCE, consecutive=2, critical_limit=0.3)
    transitions = drive(rule, [0.1, 0.1, 0.4, 0.4, 0.4, 0.1, 0.4, 0.4])
    assert changes(transitions) == [(1, "raised"), (3, "escalated")]
    assert transitions[3] is not None
    assert transitions[3].severity is Severity.CRITICAL


def test_what_is_grave_from_the_first_is_raised_as_critical() -> None:
    transitions = drive(replace(AT_ONCE, critical_limit=0.3), [0.4])
    assert transitions[0] is not None
    assert (transitions[0].change, transitions[0].severity) == (Change.RAISED, Severity.CRITICAL)


def test_an_alert_that_nobody_sees_grows_critical() -> None:
    rule = replace(AT_ONCE, escalate_after_h=24)
    assert changes(drive(rule, [0.1, None, None, None])) == [(0, "raised"), (2, "escalated")]
    assert changes(drive(rule, [0.1, None, None, None], acknowledged=True)) == [(0, "raised")]


def test_a_critical_rule_has_nothing_to_escalate_to() -> None:
    rule = replace(AT_ONCE, severity=Severity.CRITICAL, escalate_after_h=1, critical_limit=0.3)
    assert changes(drive(rule, [0.1, 0.4, 0.4])) == [(0, "raised")]


def test_quiet_hours_hold_a_warning_until_they_end() -> None:
    rule = replace(AT_ONCE, quiet_hours=NIGHT)
    # 09:00, 15:00, 21:00, 03:00, 09:00
    transitions = drive(rule, [-0.1, -0.1, -0.1, 0.1, None], every_h=6)
    assert changes(transitions) == [(4, "raised")]
    assert transitions[4] is not None
    assert transitions[4].observation.at == hours(18)


def test_what_comes_and_goes_in_quiet_hours_is_never_reported() -> None:
    rule = replace(AT_ONCE, quiet_hours=NIGHT)
    assert changes(drive(rule, [None] * 14 + [0.1, -0.1] + [None] * 12, every_h=1)) == []


def test_quiet_hours_hold_a_resolution_and_drop_it_when_it_did_not_last() -> None:
    rule = replace(AT_ONCE, quiet_hours=NIGHT)
    lasting = drive(rule, [0.1] + [None] * 13 + [-0.1] + [None] * 10, every_h=1)
    assert changes(lasting) == [(0, "raised"), (22, "resolved")]
    brief = drive(rule, [0.1] + [None] * 13 + [-0.1, 0.1] + [None] * 10, every_h=1)
    assert changes(brief) == [(0, "raised")]


def test_no_all_clear_while_the_newest_observation_is_bad_again() -> None:
    rule = replace(AT_ONCE, consecutive=2, quiet_hours=NIGHT)
    # Raised at 10:00; clear at 23:00 and midnight, bad at 01:00; quiet hours end at 07:00.
    night = [0.1, 0.1, *[None] * 12, -0.1, -0.1, 0.1, *[None] * 8]
    assert changes(drive(rule, night, every_h=1)) == [(1, "raised")]
    assert changes(drive(rule, [*night, -0.1], every_h=1)) == [(1, "raised"), (25, "resolved")]
    assert changes(drive(rule, [*night, 0.1, 0.1], every_h=1)) == [(1, "raised")]


def test_critical_breaks_through_quiet_hours() -> None:
    rule = replace(AT_ONCE, quiet_hours=NIGHT, critical_limit=0.3)
    # A warning at 23:00, and at midnight it is critical.
    transitions = drive(rule, [None] * 14 + [0.1, 0.4], every_h=1)
    assert changes(transitions) == [(15, "raised")]
    assert transitions[15] is not None
    assert transitions[15].severity is Severity.CRITICAL


def test_a_well_is_reported_once_the_alert_of_its_plate_no_longer_covers_it() -> None:
    state, transition = step(AlertState(), AT_ONCE, seen(0.1), hold=True)
    assert (state.raised, state.notified, transition) == (True, None, None)
    state, transition = step(state, AT_ONCE, seen(None, hour=1))
    assert transition is not None
    assert transition.change is Change.RAISED


def test_a_resolution_is_never_held_back_by_something_larger() -> None:
    state, _ = step(AlertState(), AT_ONCE, seen(0.1))
    state, transition = step(state, AT_ONCE, seen(-0.1, hour=1), hold=True)
    assert transition is not None
    assert transition.change is Change.RESOLVED


def test_a_clock_that_was_set_back_ends_no_cooldown_and_begins_none() -> None:
    rule = replace(AT_ONCE, cooldown_h=24)
    state, _ = step(AlertState(), rule, seen(0.1, hour=10))
    state, back = step(state, rule, seen(-0.1, hour=0))
    assert back is not None
    assert (back.change, back.at, state.at) == (Change.RESOLVED, hours(10), hours(10))


def test_a_state_and_its_evidence_survive_being_stored() -> None:
    evidence = Evidence(
        now=Reading(value=0.3, low=0.2, high=0.4),
        target=0.5,
        points=(WellPoint(day=7.5, efficiency=0.3, half_width=0.1),),
        wells=("A1", "B2"),
        measures={"z": 4.5},
    )
    observation = Observation(at=START, day=8, score=0.2, evidence=evidence)
    state, _ = step(AlertState(), AT_ONCE, observation)
    assert state.last == observation
    assert unpack_state(pack_state(state)) == state
    assert unpack_evidence(pack_evidence(evidence)) == evidence
    assert unpack_state({}) == AlertState()
    assert pack_state(AlertState()) == {}
