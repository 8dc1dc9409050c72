"""A replayed plate raises the alerts that the daemon's store raises, and warns of wells."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.alerts.state_machine import Change
from scopewatch_training.forecasting.courses import plan_of
from scopewatch_training.forecasting.early_warning.command import default_rules
from scopewatch_training.forecasting.early_warning.plate_replay import PlateReplay
from scopewatch_training.forecasting.early_warning.wells import Warned
from scopewatch_training.forecasting.timelapse import Moment
from tests.conftest import FakeClock
from tests.unit.store.scene import RATES, START, TABLE, Scene, key, open_store

MEMORY = Path("/dev/shm")
WELLS = tuple(f"{row}{column}" for row in "AB" for column in range(1, 5))
TIMES = 19
BLANK = None
"""A frame that cannot be judged; a time point that is missing has none."""

Fractions = dict[tuple[str, int], float | None]

SOON = AlertRule(name="soon", kind=RuleKind.WEAK_FORECAST, limit=0.8, consecutive=2)
NOW = AlertRule(name="now", target=0.5, from_day=7, consecutive=2, hysteresis=0.05)
PLATE = AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE, limit=0.5, hysteresis=0.2)
ODD = AlertRule(name="odd", kind=RuleKind.OUTLIER_WELL, from_day=4, limit=1.2, hysteresis=0.5)
SEEDS = (1, 3)


def replay_of(fractions: Fractions) -> PlateReplay:
    moments = [
        Moment(
            place=("run 7", "p1", well),
            time_point=time_point,
            day=time_point / 2,
            raw=() if fraction is BLANK else (fraction,),
            faults=("blank",) if fraction is BLANK else (),
            measures=() if fraction is BLANK else ({"focus": 0.5},),
        )
        for (well, time_point), fraction in fractions.items()
    ]
    policy = replace(plan_of(moments, RATES), run="run 7", forecast=TABLE, final_day=10.0)
    return PlateReplay(moments, policy)


def alerts_of_replay(
    fractions: Fractions, rules: Sequence[AlertRule]
) -> set[tuple[str, str, float, float | None]]:
    """Return (well, rule, day raised, day resolved) of all alerts."""
    raised: dict[tuple[str, str], float] = {}
    alerts: set[tuple[str, str, float, float | None]] = set()
    for step in replay_of(fractions).steps(rules):
        for subject, transition in step.update.transitions:
            name = subject.well or "", transition.rule.name
            if transition.change is Change.RAISED:
                raised[name] = transition.observation.day or 0.0
            elif transition.change is Change.RESOLVED:
                alerts.add((*name, raised.pop(name), transition.observation.day))
    return alerts | {(*name, day, None) for name, day in raised.items()}


def alerts_of_store(
    fractions: Fractions, rules: Sequence[AlertRule], clock: FakeClock
) -> set[tuple[str, str, float, float | None]]:
    """Return the same from a database that the same frames are recorded in."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        store = open_store(Path(name), clock, started_at=START, channels={})
        scene = Scene(store=store, folder=Path(name), rules=rules)
        for well, time_point in sorted(fractions, key=lambda each: (each[1], each[0])):
            clock.wall = START + timedelta(hours=12 * time_point)
            fraction = fractions[well, time_point]
            if fraction is BLANK:
                scene.spoil(key(well, time_point))
            else:
                scene.score(key(well, time_point), fraction)
        found = scene.rows("SELECT well, rule, raised_day, resolved_day FROM alerts")
        store.close()
    return {(well or "", rule, raised, resolved) for well, rule, raised, resolved in found}


def course(seed: int) -> Fractions:
    """Return a plate that grows, in which some wells stay weak and others fall, with gaps."""
    rng = np.random.default_rng(seed)
    fractions: Fractions = {}
    ends = rng.uniform(0.05, 0.8, len(WELLS))
    falls = rng.integers(6, TIMES, len(WELLS)) if seed % 2 else np.full(len(WELLS), TIMES)
    for well, end, fall in zip(WELLS, ends, falls, strict=True):
        for time_point in range(TIMES):
            there = end if time_point < fall else end / 4
            share = there / (1 + np.exp(-(time_point / 2 - 4)))
            fractions[well, time_point] = float(np.clip(share + rng.normal(0, 0.02), 0, 1))
    for well in WELLS[2:]:
        for time_point in range(2, TIMES - 2):
            chance = rng.random()
            if chance < 0.08:
                fractions[well, time_point] = BLANK
            elif chance < 0.14:
                del fractions[well, time_point]
    fractions |= {(WELLS[0], time_point): BLANK for time_point in (8, 9, 10)}
    if seed % 3 == 0:
        fractions |= {(well, time_point): BLANK for well in WELLS for time_point in (12, 13)}
    return fractions


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("rules", [(SOON, NOW), (SOON, NOW, PLATE, ODD), "defaults"])
def test_a_replay_raises_the_alerts_that_the_store_raises(
    seed: int, rules: tuple[AlertRule, ...] | str, clock: FakeClock
) -> None:
    chosen = default_rules() if isinstance(rules, str) else rules
    chosen = tuple(replace(rule, cooldown_h=0.0) for rule in chosen)
    fractions = course(seed)

    found = alerts_of_replay(fractions, chosen)

    assert found == alerts_of_store(fractions, chosen, clock)


def test_the_courses_of_that_test_raise_and_resolve_alerts_of_all_kinds() -> None:
    rules = (SOON, NOW, PLATE, ODD, *default_rules()[3:])
    found = [alerts_of_replay(course(seed), rules) for seed in SEEDS]

    assert {rule for alerts in found for _, rule, _, _ in alerts} == {rule.name for rule in rules}
    assert any(resolved is not None for alerts in found for *_, resolved in alerts)


def weak_from(first: Mapping[str, int], *, well: float = 0.7) -> Fractions:
    """Return wells that read 70 %, and from a time point on 20 %."""
    return {
        (name, time_point): 0.2 if time_point >= first.get(name, TIMES) else well
        for name in WELLS
        for time_point in range(TIMES)
    }


def test_a_plate_alert_warns_of_each_weak_well_that_it_names() -> None:
    most = dict.fromkeys(WELLS[:6], 14)

    warned = replay_of(weak_from(most)).warnings((NOW, PLATE))

    assert {well for well, each in warned.items() if each.ever} == set(most)
    assert {each.since_day for each in warned.values() if each.ever} == {7.5}


def test_a_well_that_turns_weak_under_a_plate_alert_is_held() -> None:
    later = dict.fromkeys(WELLS[:5], 14) | {WELLS[5]: 16}

    together = replay_of(weak_from(later)).warnings((NOW, PLATE))
    alone = replay_of(weak_from(later)).warnings((NOW,))

    assert together[WELLS[5]] == Warned(ever=False)
    assert alone[WELLS[5]] == Warned(ever=True, since_day=8.5)


def test_alerts_that_follow_each_other_warn_from_the_first_on() -> None:
    # Most wells recover: the plate's alert is resolved, and A1 gets one of its own at once.
    fractions = weak_from(dict.fromkeys(WELLS[:6], 12))
    for well in WELLS[1:6]:
        fractions |= {(well, time_point): 0.75 for time_point in range(15, TIMES)}
    now = replace(NOW, from_day=5)

    warned = replay_of(fractions).warnings((now, PLATE))

    assert warned[WELLS[0]] == Warned(ever=True, since_day=6.5)
    assert warned[WELLS[1]] == Warned(ever=True, since_day=None)


def test_an_outlier_is_a_weak_well_and_a_frame_unfit_to_judge_is_none() -> None:
    fractions = weak_from({WELLS[0]: 10})
    fractions |= {(WELLS[1], time_point): BLANK for time_point in (10, 11, 12)}
    dark = AlertRule(name="dark", kind=RuleKind.UNFIT_FRAMES, consecutive=2)

    warned = replay_of(fractions).warnings((ODD, dark))

    assert warned[WELLS[0]].ever
    assert not warned[WELLS[1]].ever


def test_time_points_from_the_final_day_on_warn_of_nothing() -> None:
    fractions: Fractions = {
        (well, time_point): 0.1 for well in WELLS for time_point in (20, 21, 22)
    }

    assert replay_of(fractions).warnings((replace(NOW, from_day=0),)) == {}


def test_one_plate_is_replayed_at_a_time() -> None:
    moment = Moment(place=("run 7", "p1", "A1"), time_point=0, day=0.0, raw=(0.1,), faults=())
    other = replace(moment, place=("run 7", "p2", "A1"))

    with pytest.raises(ValueError, match="one plate is replayed at a time"):
        PlateReplay([moment, other], plan_of([moment], None))
