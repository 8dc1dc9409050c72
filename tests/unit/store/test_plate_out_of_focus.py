"""A plate whose frames cannot be judged gives one alert with the count, in any order of frames."""

import json
from itertools import product
from pathlib import Path

import pytest

from scopewatch.core.alerts.implied_rules import implied_rules
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from tests.conftest import FakeClock
from tests.unit.store.scene import Scene, key, open_store

UNFIT = AlertRule(name="unfit", kind=RuleKind.UNFIT_FRAMES, consecutive=2)
COLLAPSE = AlertRule(name="collapse", kind=RuleKind.PLATE_COLLAPSE)
WELLS = [f"{row}{column}" for row in "ABCD" for column in range(1, 7)]
TIMES = range(3)


class Burst:
    """Frames of a plate that come one after the other within seconds."""

    def __init__(self, folder: Path, clock: FakeClock, *rules: AlertRule) -> None:
        self.clock = clock
        self.store = open_store(folder, clock)
        self.rules = (*rules, *implied_rules(rules))
        self.scene = Scene(store=self.store, folder=folder, rules=self.rules)

    def spoil(self, well: str, time_point: int) -> None:
        self.scene.spoil(key(well=well, time_point=time_point))
        self.clock.advance(0.5)

    def alerts(self) -> list[tuple[str, str]]:
        """Return rule and well of each alert after a while; the plate's own has no well."""
        for _ in range(3):
            self.clock.advance(3600)
            self.store.let_time_pass(None)
        return [
            (rule, well or "")
            for rule, well in self.scene.rows("SELECT rule, well FROM alerts ORDER BY id")
        ]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [((UNFIT,), "unfit: plate"), ((UNFIT, COLLAPSE), "collapse")],
    ids=["no rule of plates", "a rule of plates"],
)
def test_a_plate_that_comes_time_point_by_time_point_raises_one_alert(
    tmp_path: Path, clock: FakeClock, rules: tuple[AlertRule, ...], expected: str
) -> None:
    burst = Burst(tmp_path, clock, *rules)
    for time_point, well in product(TIMES, WELLS):
        burst.spoil(well, time_point)
    assert burst.alerts() == [(expected, "")]
    ((evidence,),) = burst.scene.rows("SELECT evidence FROM alerts")
    details = json.loads(evidence)
    assert (len(details["wells"]), details["out_of"]) == (len(WELLS), len(WELLS))
    (queued,) = burst.store.due(clock.now(), 9)
    assert queued.message.title.endswith("24 of 24 wells fail at once")
    burst.store.close()


@pytest.mark.parametrize("rules", [(UNFIT,), (UNFIT, COLLAPSE)])
def test_a_plate_that_comes_well_by_well_raises_its_alert_once_most_of_it_is_there(
    tmp_path: Path, clock: FakeClock, rules: tuple[AlertRule, ...]
) -> None:
    burst = Burst(tmp_path, clock, *rules)
    for well, time_point in product(WELLS, TIMES):
        burst.spoil(well, time_point)
    single, plate = burst.alerts()
    assert single == ("unfit", WELLS[0]), "before the other wells of the plate are known"
    assert plate[1] == ""
    burst.store.close()


def test_a_few_wells_that_catch_up_raise_their_alerts_at_the_next_tick(
    tmp_path: Path, clock: FakeClock
) -> None:
    burst = Burst(tmp_path, clock, UNFIT)
    for well, time_point in product(WELLS[:4], TIMES):
        burst.spoil(well, time_point)
    assert sorted(burst.alerts()) == [("unfit", well) for well in sorted(WELLS[:4])]
    burst.store.close()


def test_a_few_wells_raise_alerts_one_by_one(tmp_path: Path, clock: FakeClock) -> None:
    burst = Burst(tmp_path, clock, UNFIT)
    for time_point, well in product(TIMES, WELLS):
        if well in WELLS[:4]:
            burst.spoil(well, time_point)
        else:
            burst.scene.score(key(well=well, time_point=time_point), 0.6)
    assert sorted(burst.alerts()) == [("unfit", well) for well in sorted(WELLS[:4])]
    burst.store.close()


@pytest.mark.parametrize(
    ("rules", "implied"),
    [
        ((UNFIT,), ["unfit: plate"]),
        ((UNFIT, COLLAPSE), []),
        ((COLLAPSE,), []),
        (
            (
                UNFIT,
                AlertRule(name="p2", kind=RuleKind.PLATE_COLLAPSE, plates=("P2",)),
            ),
            ["unfit: plate"],
        ),
        (
            (
                AlertRule(name="own", kind=RuleKind.UNFIT_FRAMES, wells=("A*",)),
                AlertRule(name="a", kind=RuleKind.PLATE_COLLAPSE, wells=("A*",)),
            ),
            [],
        ),
    ],
)
def test_a_plate_rule_is_implied_only_where_no_other_has_the_same_wells(
    rules: tuple[AlertRule, ...], implied: list[str]
) -> None:
    made = implied_rules(rules)
    assert [rule.name for rule in made] == implied
    assert all(rule.speaks_for == (RuleKind.UNFIT_FRAMES,) for rule in made)
