"""Which candidates are chosen, and why: pure decisions."""

from math import inf

import numpy as np
import pytest

from scopewatch.core.imaging.model_card.limits import DistanceLimit
from scopewatch_training.suggestion.candidates import (
    Candidate,
    FrameLook,
    Place,
    gather,
    look_at,
)
from scopewatch_training.suggestion.choose import choose

LIMIT = DistanceLimit(
    measures=("focus", "entropy"), mean=(0.4, 4.0), precision=((4.0, 0.0), (0.0, 1.0)), limit=2.0
)


def place(well: str, site: int | None = None) -> Place:
    return Place(run="run8", plate="P1", well=well, time_point=20, day=10.0, site=site)


def candidate(
    well: str,
    *,
    doubt: float = 0.1,
    disagreement: float = 0.0,
    unlike: float | None = 0.0,
    features: tuple[float, ...] = (0.0, 0.0),
) -> Candidate:
    return Candidate(
        place=place(well),
        efficiency=0.5,
        doubt=doubt,
        disagreement=disagreement,
        sites_differ=True,
        unlike=unlike,
        most_unlike="focus",
        features=np.array(features),
    )


def look(efficiency: float, **measures: float) -> FrameLook:
    return FrameLook(
        efficiency=efficiency,
        doubt=0.1,
        disagreement=0.02,
        measures={"focus": 0.4, "entropy": 4.0} | measures,
    )


def test_doubt_is_the_expected_share_of_wrong_tiles() -> None:
    probability = np.array([[0.9, 0.2], [0.5, 0.0]])

    found = look_at(probability, np.array([[True, True], [True, False]]), 0.5, {})

    assert found is not None
    assert found.doubt == pytest.approx((0.1 + 0.2 + 0.5) / 3)
    assert found.efficiency == pytest.approx(2 / 3)
    assert look_at(probability, np.zeros((2, 2), dtype=bool), 0.5, {}) is None


def test_the_bundle_that_differs_most_is_the_disagreement() -> None:
    probability = np.full((2, 2), 0.5)
    others = [np.full((2, 2), 0.6), np.full((2, 2), 0.2)]

    found = look_at(probability, np.ones((2, 2), dtype=bool), 0.5, {}, others)

    assert found is not None
    assert found.disagreement == pytest.approx(0.3)


def test_sites_that_differ_count_where_they_differ_more_than_the_bundles() -> None:
    looks = {place("A1"): [look(0.2), look(0.6)], place("A2"): [look(0.4), look(0.41)]}

    one, two = gather(looks, LIMIT)

    assert one.disagreement == pytest.approx(0.2)
    assert two.disagreement == pytest.approx(0.02)
    assert [one.sites_differ, two.sites_differ] == [True, False]


def test_unlikeness_is_a_share_of_the_limit_and_raises_the_gain_up_to_a_point() -> None:
    looks = {
        place("A1"): [look(0.5)],
        place("A2"): [look(0.5, focus=1.4)],
        place("A3"): [look(0.5, entropy=400.0)],
    }

    usual, unlike, far = gather(looks, LIMIT)

    assert usual.unlike == 0.0
    assert unlike.unlike == pytest.approx(1.0)
    assert unlike.most_unlike == "focus"
    assert unlike.gain == pytest.approx(2 * usual.gain)
    assert far.gain == pytest.approx(3 * usual.gain)


def test_a_distance_of_features_is_that_of_the_card_beside_efficiency() -> None:
    looks = {place("A1"): [look(0.5)], place("A2"): [look(0.5, focus=1.4, entropy=4.0)]}

    one, two = gather(looks, LIMIT)

    assert np.linalg.norm(one.features - two.features) == pytest.approx(1.0)


def test_the_most_doubtful_is_first_and_its_twin_is_last() -> None:
    found = choose(
        [
            candidate("A1", doubt=0.30),
            candidate("A2", doubt=0.29),
            candidate("A3", doubt=0.10, features=(2.0, 0.0)),
            candidate("A4", doubt=0.05, features=(0.0, 2.0)),
        ],
        4,
    )

    assert [each.candidate.place.well for each in found] == ["A1", "A3", "A4", "A2"]
    assert found[0].apart == inf
    assert found[-1].apart == 0.0


def test_no_more_are_chosen_than_there_are() -> None:
    assert len(choose([candidate("A1"), candidate("A2")], 6)) == 2
    assert choose([], 6) == []


def test_reasons_name_what_is_high_and_nothing_else() -> None:
    doubtful, disputed, unlike, plain = choose(
        [
            candidate("A1", doubt=0.20, features=(0.0, 0.0)),
            candidate("A2", doubt=0.0, disagreement=0.15, features=(0.0, 4.0)),
            candidate("A3", doubt=0.01, disagreement=0.02, unlike=1.2, features=(4.0, 0.0)),
            candidate("A4", doubt=0.01, unlike=None, features=(4.0, 4.0)),
        ],
        4,
    )

    assert doubtful.reasons == ("20% of its tiles are expected to be called wrong",)
    assert disputed.reasons == ("its sites differ by 15 points",)
    assert unlike.reasons == ("unlike the training frames: 1.20 of the limit, most in its focus",)
    assert len(plain.reasons) == 1
    assert plain.reasons[0].startswith("little is in doubt")


def test_without_a_limit_on_the_card_unlikeness_is_unknown() -> None:
    (found,) = gather({place("A1"): [look(0.5)]}, None)

    assert found.unlike is None
    assert found.gain == pytest.approx(0.12)
