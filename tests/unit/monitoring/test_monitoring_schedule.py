"""The time points of a plate that rules may evaluate now."""

from dataclasses import replace

from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.monitoring.history import Plate, PlateHistory, lags, must_wait, stepped_by_all
from scopewatch.monitoring.schedule import Due, due_steps

WEAK = AlertRule(name="weak")
DARK = AlertRule(name="dark", kind=RuleKind.UNFIT_FRAMES, wells=("A*",))
COLLAPSE = AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE)
WELLS = {"A1": 1, "A2": 2, "B1": 3}
SINGLE = Plate(run="run 7", plate="p1", wells=WELLS, rules=(WEAK, DARK))
JOINT = replace(SINGLE, rules=(WEAK, DARK, COLLAPSE))
NOTHING = PlateHistory(
    wells=tuple(WELLS),
    lasts={},
    newest={},
    first=0,
    settled={},
    untried=frozenset(),
    until=None,
)


def due(plate: Plate, history: PlateHistory, *, quiet: bool = False, sites: int = 1) -> Due:
    return due_steps(plate, history, sites_per_well=sites, quiet=quiet)


def taken(found: Due) -> list[tuple[int, list[str], list[str], bool]]:
    return [
        (step.time_point, [rule.name for rule in step.rules], sorted(step.fresh), step.whole)
        for step in found.steps
    ]


def test_of_an_empty_plate_nothing_is_due() -> None:
    assert due(JOINT, NOTHING) == due(SINGLE, NOTHING) == Due(steps=(), waiting=False)


def test_a_well_by_itself_is_stepped_once_all_its_sites_are_settled() -> None:
    history = replace(NOTHING, wells=("A1",), newest={"A1": 0}, settled={("A1", 0): 1})
    assert due(SINGLE, history, sites=2).steps == ()
    assert taken(due(SINGLE, history)) == [(0, ["weak", "dark"], ["A1"], True)]


def test_a_later_time_point_completes_the_ones_before_it() -> None:
    settled = {("A1", 0): 1, ("A1", 1): 0, ("A1", 2): 1, ("A1", 3): 0}
    history = replace(NOTHING, wells=("A1",), newest={"A1": 3}, settled=settled)
    # Time point 1 cannot be evaluated: its frames are still processed.
    assert [step.time_point for step in due(SINGLE, history, sites=2).steps] == [0, 2]


def test_a_rule_that_is_new_catches_up_in_steps_of_its_own() -> None:
    lasts = {("weak", "A1"): 2, ("dark", "A1"): 0}
    settled = {("A1", time_point): 1 for time_point in (1, 2, 3)}
    history = replace(NOTHING, wells=("A1",), newest={"A1": 3}, lasts=lasts, settled=settled)
    assert taken(due(SINGLE, history)) == [
        (1, ["dark"], ["A1"], True),
        (2, ["dark"], ["A1"], True),
        (3, ["weak", "dark"], ["A1"], True),
    ]


def test_a_rule_steps_only_over_its_own_wells() -> None:
    settled = {("A1", 0): 1, ("B1", 0): 1}
    history = replace(NOTHING, newest={"A1": 0, "B1": 0}, settled=settled)
    assert taken(due(SINGLE, history)) == [
        (0, ["weak"], ["A1", "B1"], True),
        (0, ["dark"], ["A1"], False),
    ]


def test_a_plate_waits_for_the_wells_that_came_along() -> None:
    newest = {"A1": 5, "A2": 4, "B1": 3}
    history = replace(NOTHING, newest=newest, first=3, settled={("A1", 5): 1})
    assert due(JOINT, history) == Due(steps=(), waiting=True), "A2 has yet to come"
    # B1 has no frame of time point 4: it is not waited for.
    history = replace(history, newest=newest | {"A2": 5}, settled={("A1", 5): 1, ("A2", 5): 1})
    assert taken(due(JOINT, history)) == [(5, ["weak", "dark", "plate"], ["A1", "A2"], True)]


def test_the_first_time_point_of_a_plate_waits_for_the_second() -> None:
    history = replace(NOTHING, newest={"A1": 0}, settled={("A1", 0): 1})
    assert due(JOINT, history).waiting
    assert [step.time_point for step in due(JOINT, history, quiet=True).steps] == [0]
    later = replace(history, newest={"A1": 1}, settled={("A1", 0): 1, ("A1", 1): 1})
    assert [step.time_point for step in due(JOINT, later).steps] == [0, 1]


def test_a_quiet_plate_is_stepped_over_what_there_is() -> None:
    history = replace(NOTHING, newest={"A1": 4, "A2": 3}, settled={("A1", 4): 1})
    assert due(JOINT, history).waiting
    assert taken(due(JOINT, history, quiet=True)) == [(4, ["weak", "dark", "plate"], ["A1"], True)]


def test_a_plate_waits_for_frames_that_are_to_be_tried_again() -> None:
    history = replace(
        NOTHING,
        newest={"A1": 6},
        settled={("A1", time_point): 1 for time_point in (4, 5, 6)},
        untried=frozenset({5}),
    )
    found = due(JOINT, history)
    assert [step.time_point for step in found.steps] == [4]
    assert found.waiting


def test_a_plate_is_looked_at_once_however_many_groups_step() -> None:
    lasts = {("weak", "A1"): 3, ("dark", "A1"): 2, ("plate", ""): 3}
    settled = {("A1", 3): 1, ("A1", 4): 1}
    history = replace(NOTHING, newest={"A1": 4}, lasts=lasts, settled=settled)
    assert taken(due(JOINT, history)) == [
        (3, ["dark", "plate"], ["A1"], False),
        (4, ["weak", "dark", "plate"], ["A1"], True),
    ]


def test_a_well_lags_where_any_of_its_rules_does() -> None:
    lasts = {("weak", "A1"): 5, ("dark", "A1"): 3, ("weak", "B1"): 5}
    stepped = {well: stepped_by_all(SINGLE, lasts, well) for well in WELLS}
    assert stepped == {"A1": 3, "A2": -1, "B1": 5}
    assert lags(stepped, {"A1": 5, "B1": 5}) == {"A1": 3}
    no_rules = replace(SINGLE, rules=())
    assert stepped_by_all(no_rules, lasts, "A1") is None


def test_a_plate_must_wait_only_for_wells_that_have_yet_to_begin_its_newest_time_point() -> None:
    assert must_wait({"A1": 5, "A2": 4}, {"A1": 4})
    assert not must_wait({"A1": 5, "A2": 5, "B1": 3}, {"A1": 4, "A2": 4}), "B1 fell silent"
    assert not must_wait({"A1": 5, "A2": 4}, {"A1": 4, "A2": 3}), "A2 is behind"


def test_a_plate_does_not_wait_for_a_well_that_is_marked_dead() -> None:
    settled = {("A1", 2): 1, ("A2", 2): 1}
    lasts = dict.fromkeys([("weak", "A1"), ("weak", "A2"), ("weak", "B1")], 1) | {("plate", ""): 1}
    history = replace(
        NOTHING, newest={"A1": 2, "A2": 2, "B1": 1}, lasts=lasts, settled=settled, first=0
    )
    plate = replace(JOINT, rules=(WEAK, COLLAPSE))
    assert due(plate, history) == Due(steps=(), waiting=True)
    assert [step.time_point for step in due(plate, replace(history, dead=frozenset({"B1"}))).steps]
