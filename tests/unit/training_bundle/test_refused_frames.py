"""`evaluate` says of how many judged frames the daemon would report nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from scopewatch_training.bundle.limits import learn_limits
from scopewatch_training.bundle.refused_frames import describe_refused
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.dataset.pairs.record import Pair
from tests.unit.training.tiny_data import write_dataset

pytestmark = pytest.mark.training


@pytest.fixture
def pairs(tmp_path: Path) -> list[Pair]:
    made = open_dataset(write_dataset(tmp_path, runs=2, wells=3)).accepted
    measures = {**made[0].measures, "contrast": 1.0, "focus": 1.0}
    return [replace(pair, measures=measures) for pair in made]


def test_frames_like_the_training_are_not_mentioned(pairs: list[Pair]) -> None:
    limits = learn_limits(pairs)
    assert describe_refused(limits, pairs) == ()


def test_frames_unlike_the_training_are_counted_by_run(pairs: list[Pair]) -> None:
    limits = learn_limits(pairs)
    odd = replace(pairs[0], measures={**pairs[0].measures, "contrast": 900.0})
    (line,) = describe_refused(limits, [odd, *pairs[1:]])
    assert line.startswith(f"The daemon would refuse 1 of these {len(pairs)} frames as unlike")
    assert f"(1 of {odd.run})" in line


def test_frames_without_the_measures_of_the_card_are_left_out(pairs: list[Pair]) -> None:
    limits = learn_limits(pairs)
    assert describe_refused(limits, [replace(pairs[0], measures={})]) == ()
