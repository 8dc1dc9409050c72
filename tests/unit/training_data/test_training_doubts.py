import json

import numpy as np
import pytest

from scopewatch.core.imaging.histogram import BINS
from scopewatch_training.dataset.checks.find import find_doubts
from scopewatch_training.dataset.checks.names import fold_name
from scopewatch_training.dataset.doubts import WHAT, Doubt, DoubtKind, Verdict, Weight, verdict
from scopewatch_training.dataset.prepared import Pair


def doubt(weight: Weight = Weight.LOOK, pair: str | None = "a.tif") -> Doubt:
    return Doubt(
        kind=DoubtKind.OFFSET, weight=weight, run="r1", pair=pair, measured="9 px",
        expected="within 3 px", do="look at both pictures",
    )  # fmt: skip


def pair(run: str, plate: str = "P1", well: str = "A1") -> Pair:
    return Pair(
        id=f"{run}-{plate}-{well}", run=run, plate=plate, well=well, site=0, time_point=0,
        day=None, phase=f"{run}{plate}{well}.tif", fluorescence="f.tif",
        histogram=np.zeros(BINS, dtype=np.int64),
    )  # fmt: skip


def test_a_doubt_is_one_line_that_says_what_where_and_what_to_do() -> None:
    assert doubt().line == (
        "offset is far from that of the run's other pairs: run r1, a.tif"
        " (expected within 3 px, got 9 px); look at both pictures"
    )
    assert "run r1 (expected" in doubt(pair=None).line


def test_a_doubt_comes_back_from_json_as_it_was() -> None:
    assert Doubt.from_json(json.loads(json.dumps(doubt().to_json()))) == doubt()


def test_every_kind_has_its_words() -> None:
    assert set(WHAT) == set(DoubtKind)


def test_the_gravest_doubt_decides_and_notes_are_good_to_train() -> None:
    assert verdict([]) is Verdict.GOOD
    assert verdict([doubt(Weight.NOTE)]) is Verdict.GOOD
    assert verdict([doubt(Weight.NOTE), doubt(Weight.LOOK)]) is Verdict.LOOK
    assert verdict([doubt(Weight.STOP), doubt(Weight.LOOK)]) is Verdict.STOP


@pytest.mark.parametrize(
    ("first", "second", "measured"),
    [
        (pair("Run1"), pair("run1"), "runs Run1 and run1"),
        (pair("r1"), pair("r01"), "runs r01 and r1"),
        (pair("a", "P1"), pair("a", "p01"), "plates P1 and p01"),
        (pair("a", well="A1"), pair("a", well="A01"), "wells A01 and A1"),
    ],
)
def test_names_that_differ_in_case_or_zeros_are_named(
    first: Pair, second: Pair, measured: str
) -> None:
    found = [each for each in find_doubts([first, second]) if each.kind is DoubtKind.TWIN_NAMES]
    assert [each.measured for each in found] == [measured]


def test_names_that_differ_otherwise_are_no_twins() -> None:
    assert fold_name("A10") != fold_name("A1")
    names = [pair("a"), pair("b"), pair("a", "P2"), pair("a", well="A10"), pair("a", well="A2")]
    assert find_doubts(names) == ()


def test_one_run_alone_is_noted() -> None:
    (only,) = find_doubts([pair("a"), pair("a", well="B1")])
    assert (only.kind, only.weight) == (DoubtKind.ONE_RUN, Weight.NOTE)
