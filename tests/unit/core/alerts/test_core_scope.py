"""Which wells and plates a pattern means."""

import pytest

from scopewatch.core.alerts.observation import Subject
from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.alerts.scope import any_match, any_well, check_pattern, place, well_order


@pytest.mark.parametrize(
    ("pattern", "meant", "others"),
    [
        ("B3", ["B3", "B03", "b3"], ["B30", "A3", "dish"]),
        ("B*", ["B1", "B12"], ["A1", "C1"]),
        ("A1:B6", ["A1", "A6", "B1", "B06"], ["A7", "C1", "dish"]),
        ("A1:A1", ["A1"], ["A2"]),
        ("C2:E4", ["D3", "C4", "E2"], ["C1", "F2", "D5"]),
        ("AA1:AF48", ["AA1", "AC30", "AF48"], ["A1", "Z48", "dish"]),
        ("dish*", ["dish", "dish 2"], ["A1"]),
    ],
)
def test_a_pattern_means_these_wells(pattern: str, meant: list[str], others: list[str]) -> None:
    assert check_pattern(pattern) == ""
    assert [well for well in meant if not any_well([pattern], well)] == []
    assert [well for well in others if any_well([pattern], well)] == []


def test_no_pattern_means_everything() -> None:
    assert any_well([], "dish")
    assert any_match([], "run7")


def test_one_of_several_patterns_is_enough() -> None:
    assert any_well(["A1:A3", "B*"], "B9")
    assert any_match(["P1", "P2*"], "P21")
    assert not any_match(["P1", "P2*"], "P3")


@pytest.mark.parametrize("pattern", ["", "A1:", "A1:AG9", "B6:A1", "A6:B1", "A1:A49", "A1:B2:C3"])
def test_a_pattern_that_means_no_well_is_reported(pattern: str) -> None:
    assert check_pattern(pattern) != ""


def test_wells_have_a_place_and_an_order() -> None:
    assert place("P24") == (15, 23)
    assert (place("Q1"), place("AA25"), place("AF48")) == ((16, 0), (26, 24), (31, 47))
    assert place("A0") is place("AG1") is place("A49") is place("dish") is None
    wells = ["B1", "A10", "dish", "A2"]
    assert sorted(wells, key=well_order) == ["A2", "A10", "B1", "dish"]


def test_a_rule_covers_what_all_its_patterns_mean() -> None:
    rule = AlertRule(name="r", runs=("run*",), plates=("P1",), wells=("A1:A6",))
    assert Subject(run="run7", plate="P1", well="A3").covered_by(rule)
    assert not Subject(run="test", plate="P1", well="A3").covered_by(rule)
    assert not Subject(run="run7", plate="P2", well="A3").covered_by(rule)
    assert not Subject(run="run7", plate="P1", well="B3").covered_by(rule)
    assert Subject(run="run7", plate="P1").covered_by(rule)
    assert Subject(run="run7").covered_by(rule)
