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
    assert line.startswith(f"The daemon would refuse 1 of {len(pairs)} frames as unlike")
    assert f"(1 of {odd.run})" in line


def test_frames_without_the_measures_of_the_card_are_not_counted_but_named(
    pairs: list[Pair],
) -> None:
    limits = learn_limits(pairs)
    odd = replace(pairs[0], measures={**pairs[0].measures, "contrast": 900.0})
    bare = [replace(pair, measures={}) for pair in pairs[-2:]]

    refused, unknown = describe_refused(limits, [odd, *pairs[1:-2], *bare])

    assert refused.startswith(f"The daemon would refuse 1 of {len(pairs) - 2} frames as unlike")
    assert unknown == (
        f"Whether the daemon would refuse 2 of {len(pairs)} frames as unlike the bundle's training"
        " is not known (2 of run2): another version than the card's measured them; prepare the data"
        " set again, and fit the bundle again if that is the older one."
    )


def test_frames_without_any_measure_are_named_where_no_frame_is_refused(pairs: list[Pair]) -> None:
    limits = learn_limits(pairs)
    (line,) = describe_refused(limits, [replace(pairs[0], measures={})])
    assert line.startswith("Whether the daemon would refuse 1 of 1 frames as unlike")
