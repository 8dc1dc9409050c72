"""What befalls a whole plate is reported once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scopewatch.core.alerts.plate import PlateFacts, PlateStep, step_plate
from scopewatch.core.alerts.rules import AlertRule, RuleKind, Severity
from scopewatch.core.alerts.state_machine import Change
from scopewatch.core.alerts.wells import Look, WellFacts
from tests.unit.core.alert_samples import PLATE, START, make_forecast, make_well

WEAK = AlertRule(name="weak", kind=RuleKind.WEAK_NOW, hysteresis=0.05)
ODD = AlertRule(name="odd", kind=RuleKind.OUTLIER_WELL)
COLLAPSE = AlertRule(
    name="collapse",
    kind=RuleKind.PLATE_COLLAPSE,
    limit=0.5,
    hysteresis=0.2,
    severity=Severity.CRITICAL,
)
NO_FRAMES = AlertRule(name="no-frames", kind=RuleKind.NO_FRAMES)
RULES = (WEAK, COLLAPSE, NO_FRAMES)
NAMES = [f"{row}{column}" for row in "ABCDEFGH" for column in range(1, 13)]


def look_at(
    efficiencies: dict[str, float], time_point: int = 0, *, fresh: bool = True
) -> PlateFacts:
    at = START + timedelta(hours=12 * time_point)
    wells: tuple[WellFacts, ...] = tuple(
        make_well(name, efficiency=value, at=at) for name, value in efficiencies.items()
    )
    return PlateFacts(
        subject=PLATE,
        at=at,
        day=8 + time_point / 2,
        wells=wells,
        fresh=frozenset(efficiencies) if fresh else frozenset(),
    )


def reported(done: PlateStep) -> list[tuple[str, str]]:
    return [(subject.well or "plate", each.change.value) for subject, each in done.transitions]


def test_96_wells_that_fail_give_one_alert_that_names_them() -> None:
    done = step_plate(RULES, {}, look_at(dict.fromkeys(NAMES, 0.1)))
    assert reported(done) == [("plate", "raised")]
    ((_, transition),) = done.transitions
    assert transition.observation.evidence.wells == tuple(NAMES)
    assert transition.observation.evidence.out_of == 96
    assert transition.observation.evidence.measures == {"weak-now": 96}
    assert transition.severity is Severity.CRITICAL


def test_96_wells_that_recover_give_one_message_too() -> None:
    first = step_plate(RULES, {}, look_at(dict.fromkeys(NAMES, 0.1)))
    second = step_plate(RULES, first.states, look_at(dict.fromkeys(NAMES, 0.8), 1))
    assert reported(second) == [("plate", "resolved")]


def test_a_few_weak_wells_are_reported_one_by_one() -> None:
    seen = dict.fromkeys(NAMES, 0.8) | {"B3": 0.1, "A2": 0.1}
    done = step_plate(RULES, {}, look_at(seen))
    assert reported(done) == [("A2", "raised"), ("B3", "raised")]


def test_wells_that_were_reported_before_do_not_add_up_to_a_collapse() -> None:
    wells = dict.fromkeys(NAMES[:12], 0.8)
    states: PlateStep = PlateStep(states={}, transitions=())
    everything = []
    for time_point, name in enumerate(NAMES[:10]):
        wells[name] = 0.1
        states = step_plate(RULES, states.states, look_at(wells, time_point))
        everything += reported(states)
    assert everything == [(name, "raised") for name in NAMES[:10]]


def test_wells_that_were_foretold_to_be_weak_are_no_collapse_when_they_are() -> None:
    foretold = AlertRule(name="soon", kind=RuleKind.WEAK_FORECAST, limit=0.8)
    rules = (foretold, replace(WEAK, from_day=9), COLLAPSE)
    likely, fine = make_forecast(0.2), make_forecast(0.9)
    names = NAMES[:12]
    states: PlateStep = PlateStep(states={}, transitions=())
    everything = []
    for time_point in range(9):
        weak = names[: time_point + 1] if time_point < 8 else names[:8]
        facts = look_at(dict.fromkeys(names, 0.8) | dict.fromkeys(weak, 0.1), time_point)
        wells = tuple(
            replace(well, forecast=likely if well.well in weak else fine) for well in facts.wells
        )
        states = step_plate(rules, states.states, replace(facts, wells=wells))
        everything += reported(states)
    assert {name for name, _ in everything} == set(names[:8])


def test_wells_that_were_reported_to_be_weak_collapse_all_the_same_with_the_rest() -> None:
    sudden = AlertRule(name="sudden", kind=RuleKind.UNFIT_FRAMES)
    rules = (WEAK, sudden, COLLAPSE)
    names = NAMES[:12]
    wells = dict.fromkeys(names, 0.8)
    states: PlateStep = PlateStep(states={}, transitions=())
    for time_point, name in enumerate(names[:6]):
        wells[name] = 0.1
        states = step_plate(rules, states.states, look_at(wells, time_point))
        assert reported(states) == [(name, "raised")]
    dark = look_at(wells, 6)
    looks = (Look(day=11, fault="blank"),)
    facts = replace(dark, wells=tuple(replace(well, looks=looks) for well in dark.wells))
    assert reported(step_plate(rules, states.states, facts)) == [("plate", "raised")]


def test_a_well_that_was_reported_is_named_again_when_its_plate_collapses() -> None:
    wells = dict.fromkeys(NAMES[:12], 0.8) | {"A1": 0.1}
    first = step_plate(RULES, {}, look_at(wells))
    assert reported(first) == [("A1", "raised")]
    second = step_plate(RULES, first.states, look_at(dict.fromkeys(NAMES[:12], 0.1), 1))
    assert reported(second) == [("plate", "raised")]
    assert second.transitions[0][1].observation.evidence.wells == tuple(NAMES[:12])


def test_wells_that_stay_weak_when_the_rest_recovers_are_reported_then() -> None:
    first = step_plate(RULES, {}, look_at(dict.fromkeys(NAMES[:12], 0.1)))
    partly = dict.fromkeys(NAMES[:12], 0.8) | {"A5": 0.1}
    second = step_plate(RULES, first.states, look_at(partly, 1))
    assert reported(second) == [("plate", "resolved"), ("A5", "raised")]


def test_fewer_than_six_wells_never_collapse() -> None:
    done = step_plate(RULES, {}, look_at(dict.fromkeys(NAMES[:5], 0.1)))
    assert reported(done) == [(name, "raised") for name in NAMES[:5]]


def test_an_outlier_is_reported_also_while_its_plate_collapses() -> None:
    wells = dict.fromkeys(NAMES[:12], 0.45) | {"A5": 0.05}
    done = step_plate((*RULES, ODD), {}, look_at(wells))
    assert reported(done) == [("plate", "raised"), ("A5", "raised")]


def test_a_collapse_covers_only_the_wells_of_its_rule() -> None:
    rules = (WEAK, replace(COLLAPSE, wells=("A*",)))
    done = step_plate(rules, {}, look_at(dict.fromkeys(NAMES[:13], 0.1)))
    assert reported(done) == [("plate", "raised"), ("B1", "raised")]


def test_without_a_plate_rule_each_well_is_reported() -> None:
    done = step_plate((WEAK,), {}, look_at(dict.fromkeys(NAMES, 0.1)))
    assert len(done.transitions) == 96


def test_wells_without_a_new_time_point_are_not_stepped_again() -> None:
    rule = replace(WEAK, consecutive=2)
    facts = look_at(dict.fromkeys(NAMES[:6], 0.1))
    once = step_plate((rule,), {}, facts)
    ticked = step_plate((rule,), once.states, replace(facts, fresh=frozenset()))
    assert ticked.transitions == ()
    late = step_plate((rule,), ticked.states, replace(facts, fresh=frozenset({"A3"})))
    assert reported(late) == [("A3", "raised")]


def test_a_tick_lets_what_was_held_be_reported() -> None:
    rule = replace(WEAK, cooldown_h=24)
    states: PlateStep = PlateStep(states={}, transitions=())
    everything = []
    for time_point, value in enumerate([0.1, 0.8]):
        states = step_plate((rule,), states.states, look_at({"A1": value}, time_point))
        everything += reported(states)
    again = replace(look_at({"A1": 0.1}, 1), at=START + timedelta(hours=18))
    states = step_plate((rule,), states.states, again)
    assert reported(states) == []
    states = step_plate((rule,), states.states, look_at({"A1": 0.1}, 2, fresh=False))
    assert reported(states) == [("A1", "raised")]
    assert everything == [("A1", "raised"), ("A1", "resolved")]


def test_an_alert_that_somebody_saw_does_not_grow_critical() -> None:
    rule = replace(WEAK, escalate_after_h=6)
    first = step_plate((rule,), {}, look_at({"A1": 0.1}))
    subject = first.transitions[0][0]
    later = look_at({"A1": 0.1}, 1, fresh=False)
    assert reported(step_plate((rule,), first.states, later)) == [("A1", "escalated")]
    seen = step_plate((rule,), first.states, later, acknowledged={("weak", subject)})
    assert reported(seen) == []


@pytest.mark.parametrize("share", [0.4, 0.6])
def test_the_share_of_failing_wells_decides(share: float) -> None:
    weak = round(share * 20)
    wells = dict.fromkeys(NAMES[:weak], 0.1) | dict.fromkeys(NAMES[weak:20], 0.8)
    done = step_plate(RULES, {}, look_at(wells))
    plate_wide = [subject for subject, each in done.transitions if subject == PLATE]
    assert bool(plate_wide) == (share > 0.5)
    assert all(each.change is Change.RAISED for _, each in done.transitions)
    assert len(done.transitions) == (1 if share > 0.5 else weak)
