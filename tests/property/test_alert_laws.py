"""Laws of every alert rule, for any observations at any times."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import pairwise
from math import exp
from random import Random
from typing import Final

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scopewatch.core.alerts.changes import SYMPTOMS, Symptom, find_change
from scopewatch.core.alerts.observation import Observation
from scopewatch.core.alerts.plate import FEWEST_WELLS, PlateFacts, PlateStep, step_plate
from scopewatch.core.alerts.quiet_hours import QuietHours
from scopewatch.core.alerts.rules import AlertRule, RuleKind, Severity
from scopewatch.core.alerts.scope import any_well, check_pattern
from scopewatch.core.alerts.serialisation import pack_state, unpack_state
from scopewatch.core.alerts.state_machine import AlertState, Change, Transition, step
from tests.unit.core.alert_samples import PLATE, START, make_well

# A slow example on a busy machine is no fault of the tested code.
UNHURRIED: Final = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
SCORES: Final = st.floats(-1, 1, allow_subnormal=False)
HOURS: Final = st.sampled_from([0.0, 0.1, 1.0, 6.0, 12.0, 30.0])
NIGHTS: Final = st.none() | st.builds(
    QuietHours,
    start=st.sampled_from([time(22), time(0), time(9)]),
    end=st.sampled_from([time(7), time(12, 30)]),
    zone=st.sampled_from(["UTC", "Asia/Tokyo", "America/St_Johns"]),
)


@st.composite
def rules(draw: st.DrawFn) -> AlertRule:
    limit = draw(st.floats(-0.5, 0.5))
    return AlertRule(
        name="any",
        limit=limit,
        critical_limit=draw(st.none() | st.floats(limit, 1)),
        from_day=draw(st.sampled_from([0.0, 0.0, 2.0])),
        consecutive=draw(st.integers(1, 3)),
        hysteresis=draw(st.floats(0, 0.5)),
        severity=draw(st.sampled_from(Severity)),
        cooldown_h=draw(st.sampled_from([0.0, 6.0, 24.0])),
        escalate_after_h=draw(st.sampled_from([None, 6.0, 24.0])),
        quiet_hours=draw(NIGHTS),
    )


Moment = tuple[float, float | None, bool, bool]
MOMENTS: Final = st.lists(
    st.tuples(HOURS, st.none() | SCORES, st.booleans(), st.booleans()), max_size=40
)
Steps = list[tuple[datetime, bool, AlertState, Transition | None]]


def live(rule: AlertRule, moments: list[Moment]) -> Steps:
    """Step a rule through moments; return (time, held, state afterwards, transition) of each."""
    state, at, lived = AlertState(), START, []
    for gap_h, score, hold, acknowledged in moments:
        at += timedelta(hours=gap_h)
        day = (at - START).total_seconds() / 86_400
        observation = Observation(at=at, day=day, score=score)
        state, transition = step(state, rule, observation, hold=hold, acknowledged=acknowledged)
        lived.append((at, hold, state, transition))
    return lived


@UNHURRIED
@given(rule=rules(), moments=MOMENTS)
def test_between_two_raised_alerts_one_is_resolved(rule: AlertRule, moments: list[Moment]) -> None:
    reported = [each.change for *_, each in live(rule, moments) if each is not None]
    open_now, escalated = False, False
    for change in reported:
        if change is Change.RAISED:
            assert not open_now
            open_now, escalated = True, False
        elif change is Change.ESCALATED:
            assert open_now
            assert not escalated
            escalated = True
        else:
            assert open_now
            open_now = False


@UNHURRIED
@given(rule=rules(), moments=MOMENTS)
def test_no_two_alerts_within_a_cooldown(rule: AlertRule, moments: list[Moment]) -> None:
    raised = [each.at for *_, each in live(rule, moments) if each and each.change is Change.RAISED]
    gaps = [later - sooner for sooner, later in pairwise(raised)]
    assert all(gap >= rule.cooldown for gap in gaps)


@UNHURRIED
@given(rule=rules(), moments=MOMENTS)
def test_only_critical_is_notified_in_quiet_hours(rule: AlertRule, moments: list[Moment]) -> None:
    for at, _, _, reported in live(rule, moments):
        if reported is None or rule.quiet_hours is None or not rule.quiet_hours.hold(at):
            continue
        assert reported.change is not Change.RESOLVED
        assert reported.severity is Severity.CRITICAL


@UNHURRIED
@given(rule=rules(), moments=MOMENTS)
def test_nothing_is_raised_while_a_larger_alert_holds_it(
    rule: AlertRule, moments: list[Moment]
) -> None:
    for _, hold, _, reported in live(rule, moments):
        assert reported is None or reported.change is Change.RESOLVED or not hold


@UNHURRIED
@given(rule=rules(), moments=MOMENTS)
def test_the_notified_state_becomes_the_true_state_once_nothing_holds_it(
    rule: AlertRule, moments: list[Moment]
) -> None:
    lived = live(rule, moments)
    state = lived[-1][2] if lived else AlertState()
    at = (lived[-1][0] if lived else START) + timedelta(days=3)
    while rule.quiet_hours is not None and rule.quiet_hours.hold(at):
        at += timedelta(hours=1)
    # What is bad again but not yet for long enough waits for one more observation.
    again = -1.5 if state.notified and not state.raised and state.streak else None
    after, _ = step(state, rule, Observation(at=at, score=again), acknowledged=True)
    assert after.raised == state.raised
    assert (after.notified is not None) == after.raised
    assert not after.raised or after.notified is after.severity


# Cleared in quiet hours, and bad once more before they end.
BAD_ONCE_MORE: Final[list[Moment]] = [
    *[(6.0, None, False, False)] * 4,
    *[(6.0, 1.0, False, False)] * 2,
    *[(6.0, 0.0, False, False), (0.0, 0.0, False, False), (0.0, 1.0, False, False)],
    *[(6.0, None, False, False)] * 2,
    (6.0, 0.0, False, False),
]
IN_QUIET_NIGHTS: Final = AlertRule(
    name="any",
    limit=0.0,
    consecutive=2,
    hysteresis=0.0,
    severity=Severity.INFO,
    cooldown_h=0.0,
    escalate_after_h=None,
    quiet_hours=QuietHours(start=time(22), end=time(7), zone="UTC"),
)


@UNHURRIED
@given(rule=rules(), moments=MOMENTS)
@example(rule=IN_QUIET_NIGHTS, moments=BAD_ONCE_MORE)
def test_every_notified_score_was_observed(rule: AlertRule, moments: list[Moment]) -> None:
    for at, _, state, reported in live(rule, moments):
        if reported is None:
            continue
        score = reported.observation.score
        assert score is not None
        assert reported.observation.at <= reported.at == at
        assert state.notified is (None if reported.change is Change.RESOLVED else reported.severity)
        if reported.change is Change.RESOLVED:
            assert not rule.bad(score)
        elif rule.consecutive == 1:
            assert not rule.clear(score)


@UNHURRIED
@given(rule=rules(), moments=MOMENTS)
def test_a_state_continues_the_same_after_it_was_stored_and_read(
    rule: AlertRule, moments: list[Moment]
) -> None:
    for _, _, state, _ in live(rule, moments):
        assert unpack_state(pack_state(state)) == state


@UNHURRIED
@given(rule=rules(), moments=MOMENTS, worse=st.lists(st.floats(0, 1), min_size=40, max_size=40))
def test_a_worse_score_raises_the_alert_too(
    rule: AlertRule, moments: list[Moment], worse: list[float]
) -> None:
    harder = [
        (gap_h, None if score is None else score + more, hold, acknowledged)
        for (gap_h, score, hold, acknowledged), more in zip(moments, worse, strict=False)
    ]
    for (_, _, mild, _), (_, _, hard, _) in zip(
        live(rule, moments), live(rule, harder), strict=True
    ):
        assert hard.raised >= mild.raised


@UNHURRIED
@given(rule=rules(), moments=MOMENTS)
def test_time_alone_changes_nothing_that_is_the_case(
    rule: AlertRule, moments: list[Moment]
) -> None:
    idle: list[Moment] = [(gap_h, None, hold, seen) for gap_h, _, hold, seen in moments]
    assert all(reported is None for *_, reported in live(rule, idle))
    before = AlertState()
    for (_, score, _, _), (_, _, state, _) in zip(moments, live(rule, moments), strict=True):
        if score is None:
            assert (state.raised, state.streak) == (before.raised, before.streak)
        before = state


@UNHURRIED
@given(moments=MOMENTS)
def test_nothing_is_notified_before_the_first_day(moments: list[Moment]) -> None:
    rule = AlertRule(name="late", from_day=1000)
    assert all(reported is None for *_, reported in live(rule, moments))


@settings(UNHURRIED, max_examples=20)
@given(
    top=st.integers(0, 15),
    left=st.integers(1, 24),
    high=st.integers(0, 15),
    wide=st.integers(0, 23),
)
def test_a_range_means_the_wells_between_its_corners(
    top: int, left: int, high: int, wide: int
) -> None:
    bottom, right = min(top + high, 15), min(left + wide, 24)
    pattern = f"{chr(65 + top)}{left}:{chr(65 + bottom)}{right}"
    assert check_pattern(pattern) == ""
    for row in range(16):
        for column in range(1, 25):
            inside = top <= row <= bottom and left <= column <= right
            assert any_well([pattern], f"{chr(65 + row)}{column}") == inside


@UNHURRIED
@given(
    symptom=st.sampled_from(SYMPTOMS),
    level=st.floats(0.2, 0.8),
    wobbles=st.lists(st.floats(-0.49, 0.49), min_size=4, max_size=25),
)
def test_what_wobbles_by_less_than_the_smallest_jump_is_no_jump(
    symptom: Symptom, level: float, wobbles: list[float]
) -> None:
    moves = [symptom.least * wobble for wobble in wobbles]
    seen = [level * exp(move) if symptom.relative else level + move for move in moves]
    found = find_change([{symptom.measure: value} for value in seen])
    assert found is not None
    assert found.size < 1


@UNHURRIED
@given(values=st.lists(st.floats(0, 1), min_size=4, max_size=25))
def test_a_jump_that_went_back_is_no_jump_any_more(values: list[float]) -> None:
    found = find_change([{"coverage": value} for value in [*values, max(values)]])
    assert found is not None
    assert found.size == 0


WEAK: Final = AlertRule(name="weak", kind=RuleKind.WEAK_NOW, hysteresis=0.05, cooldown_h=24)
COLLAPSE: Final = AlertRule(name="all", kind=RuleKind.PLATE_COLLAPSE, limit=0.5, hysteresis=0.2)


@settings(UNHURRIED, max_examples=40)
@given(
    rounds=st.lists(
        st.lists(st.sampled_from([0.1, 0.3, 0.52, 0.8]), min_size=8, max_size=8), max_size=6
    ),
    seed=st.randoms(use_true_random=False),
)
def test_a_plate_raises_one_alert_for_its_wells_in_any_order(
    rounds: list[list[float]], seed: Random
) -> None:
    done = shuffled = PlateStep(states={}, transitions=())
    for index, efficiencies in enumerate(rounds):
        at = START + timedelta(hours=12 * index)
        wells = [
            make_well(f"A{column}", efficiency=value, at=at)
            for column, value in enumerate(efficiencies, start=1)
        ]
        facts = PlateFacts(
            subject=PLATE,
            at=at,
            day=8 + index / 2,
            wells=tuple(wells),
            fresh=frozenset(well.well for well in wells),
        )
        before = done.states
        done = step_plate((WEAK, COLLAPSE), before, facts)
        seed.shuffle(wells)
        shuffled = step_plate((COLLAPSE, WEAK), before, replace(facts, wells=tuple(wells)))
        assert shuffled.transitions == done.transitions
        assert shuffled.states == done.states
        if done.states[COLLAPSE.name, PLATE].raised:
            assert all(
                subject == PLATE or each.change is Change.RESOLVED
                for subject, each in done.transitions
            )
    assert len(rounds) == 0 or len(done.states) == 8 + 1 > FEWEST_WELLS
