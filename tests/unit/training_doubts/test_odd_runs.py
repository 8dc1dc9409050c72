"""Runs unlike the others: refused as a whole, days in hours, inverted, or one plate twice."""

from dataclasses import replace
from math import log
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from scopewatch_training.dataset.checks.odd_runs import find_inverted, find_odd_days
from scopewatch_training.dataset.checks.odd_stains import find_odd_stains
from scopewatch_training.dataset.doubts import DoubtKind, Verdict, Weight, verdict
from scopewatch_training.dataset.looks import Look
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.evaluation.assessment import ScoredField
from scopewatch_training.evaluation.no_positives import describe_runs_without_positives
from tests.unit.training_data.pair_files import Field, Plane, make_field
from tests.unit.training_doubts.changed_runs import Change, prepare_runs

pytestmark = pytest.mark.training


def imaged_again(_: Field, site: int) -> Field:
    """Return the field of run r2, an hour later: shifted by 6 px, with noise of its own."""
    before, rng = make_field(100 + site), np.random.default_rng(site)

    def again(plane: Plane, noise: float) -> Plane:
        moved = ndimage.shift(plane, (3.4, -5.2), order=1, mode="nearest")
        return np.asarray(moved + rng.normal(0, noise, plane.shape), dtype=np.float32)

    return replace(
        before, phase=again(before.phase, 60), fluorescence=again(before.fluorescence, 8)
    )


MISTAKES: dict[str, tuple[Change, dict[DoubtKind, str], Verdict]] = {
    "none": (lambda field, _: field, {}, Verdict.GOOD),
    "one plate imaged again": (
        imaged_again,
        {
            DoubtKind.SAME_FIELD: "2 of its fields are in run r2 too,"
            " as r3/P1/A1/s0/t0000 is r2/P1/A1/s0/t0000"
        },
        Verdict.STOP,
    ),
    "inverted phase": (
        lambda field, _: replace(field, phase=8000 - field.phase),
        {DoubtKind.INVERTED: "a skewness of +"},
        Verdict.LOOK,
    ),
    "fluorescence of other fields": (
        lambda field, site: replace(field, fluorescence=make_field(900 + site).fluorescence),
        {DoubtKind.LOST_RUN: "2 of 2 refused, the first: fluorescence cannot be registered"},
        Verdict.LOOK,
    ),
}


@pytest.mark.parametrize(("change", "expected", "sum_"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_run_with_a_mistake_is_named_and_no_other(
    change: Change, expected: dict[DoubtKind, str], sum_: Verdict, tmp_path: Path
) -> None:
    made = prepare_runs(tmp_path, change)
    assert {each.kind for each in made.doubts} == set(expected)
    for each in made.doubts:
        assert each.run == "r3"
        assert each.measured.startswith(expected[each.kind])
    assert verdict(made.doubts) is sum_


def runs(**facts: float) -> list[Pair]:
    return [
        Pair(
            id=run, run=run, plate="P1", well="A1", site=0, time_point=0, day=value,
            phase="p.tif", fluorescence="f.tif", phase_look=Look(skewness=value),
        )
        for run, value in facts.items()
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("days", "odd"),
    [
        ({"a": 10, "b": 240, "c": 12}, ["b"]),
        ({"a": 240, "b": 240}, ["a", "b"]),
        ({"a": 240}, ["a"]),
        ({"a": 10, "b": 30, "c": 45}, []),
        ({"a": 0, "b": 10}, []),
        ({"a": 100, "b": 120}, []),
    ],
)
def test_days_that_are_hours_are_named(days: dict[str, float], odd: list[str]) -> None:
    found = find_odd_days(runs(**days))
    assert [each.run for each in found] == odd
    assert all(each.weight is Weight.LOOK for each in found)


@pytest.mark.parametrize(
    ("skews", "odd"),
    [
        ({"a": -2.8, "b": 2.7, "c": -1.8}, ["b"]),
        ({"a": 2.8, "b": 2.7, "c": -1.8}, ["c"]),
        ({"a": -2.0, "b": 2.0}, ["b"]),
        ({"a": -2.0, "b": 0.4, "c": -0.4}, []),
    ],
)
def test_the_run_of_the_rarer_contrast_is_named(skews: dict[str, float], odd: list[str]) -> None:
    assert [each.run for each in find_inverted(runs(**skews))] == odd


def scored(run: str, *labels: int) -> ScoredField:
    return ScoredField(
        id=run, run=run, labels=np.array([labels], dtype=np.int8),
        probability=np.zeros((1, len(labels)), dtype=np.float32), threshold=0.5,
    )  # fmt: skip


def test_an_evaluated_run_without_a_positive_tile_is_named() -> None:
    (line,) = describe_runs_without_positives([scored("a", 0, 1), scored("b", 0, -1)])
    assert line.startswith(
        "no tile of a run is positive, so that its figures show false positives alone: b (expected"
    )
    assert describe_runs_without_positives([scored("a", 0, 1)]) == ()


def test_a_run_stained_for_all_nuclei_is_named(tmp_path: Path) -> None:
    made = prepare_runs(tmp_path, lambda _, site: make_field(300 + site, even_px=22))
    [doubt] = [each for each in made.doubts if each.kind is DoubtKind.STAIN]
    assert (doubt.run, doubt.weight) == ("r3", Weight.LOOK)
    assert doubt.measured.startswith("small spots over at least 100% of each field, evenness 3.")
    assert "expected as the other runs, evenness below" in doubt.line


NUCLEI = (2.9, 1.0)
MARKER = (0.8, 0.9)


@pytest.mark.parametrize(
    ("stains", "odd"),
    [
        ({"a": MARKER, "b": NUCLEI, "c": MARKER}, ["b"]),
        ({"a": MARKER, "b": NUCLEI}, ["b"]),
        ({"a": MARKER, "b": MARKER, "c": NUCLEI, "d": NUCLEI}, ["c", "d"]),
        ({"a": NUCLEI, "b": NUCLEI}, []),
        ({"a": MARKER, "b": (2.9, 0.3)}, []),
        ({"a": MARKER, "b": (1.2, 1.0)}, []),
        ({"a": NUCLEI}, []),
    ],
)
def test_a_run_lit_everywhere_by_much_evener_spots_than_the_others_is_odd(
    stains: dict[str, tuple[float, float]], odd: list[str]
) -> None:
    pairs = [
        Pair(
            id=f"{run}{site}", run=run, plate="P1", well="A1", site=site, time_point=0, day=None,
            phase="p.tif", fluorescence="f.tif", lit=lit,
            fluorescence_look=Look(grain=2.0, fineness=log(evenness / 2)),
        )
        for run, (evenness, lit) in stains.items()
        for site in range(2)
    ]  # fmt: skip
    assert [each.run for each in find_odd_stains(pairs)] == odd
