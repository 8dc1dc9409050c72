"""The limit on how far all texture measures together may be from those of the training frames."""

from typing import Any

import pytest
from pydantic import ValidationError

from scopewatch.core.errors import ModelError
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.core.imaging.model_card.limits import DistanceLimit
from scopewatch.core.imaging.quality import distance_to
from scopewatch.core.imaging.result import Verdict
from scopewatch.core.imaging.verdict import judge
from tests.unit.core.samples import make_card, make_cells, view_of

# Entropy varies with skewness: together they may move, apart they may not.
TIED: dict[str, Any] = {
    "measures": ["skewness", "entropy"],
    "mean": [0.0, 4.0],
    "precision": [[2.0, -1.0], [-1.0, 2.0]],
    "limit": 3.0,
}


def verdict_of(distance: dict[str, Any]) -> Verdict:
    pixels = make_cells()
    return judge(pixels, view_of(pixels), make_card(quality={"distance": distance}), 1.0)


def measured() -> dict[str, float]:
    pixels = make_cells()
    return judge(pixels, view_of(pixels), make_card(), 1.0).measures


def around(limit: float, **offsets: float) -> dict[str, Any]:
    """Return a limit whose middle is a known offset away from what `make_cells` measures."""
    found = measured()
    names = list(offsets)
    return {
        "measures": names,
        "mean": [found[name] - offsets[name] for name in names],
        "precision": [[float(row == col) for col in names] for row in names],
        "limit": limit,
    }


def test_the_distance_is_that_of_mahalanobis() -> None:
    limit = DistanceLimit.model_validate(TIED)

    assert distance_to({"skewness": 0, "entropy": 4}, limit)[0] == 0
    # (x - mean) precision (x - mean): 2 + 2 - 2 along the tie, 2 + 2 + 2 across it.
    assert distance_to({"skewness": 1, "entropy": 5}, limit)[0] == pytest.approx(2**0.5)
    assert distance_to({"skewness": 1, "entropy": 3}, limit)[0] == pytest.approx(6**0.5)


def test_the_measure_that_contributes_most_is_named() -> None:
    limit = DistanceLimit.model_validate(TIED)

    assert distance_to({"skewness": 2, "entropy": 4.5}, limit)[1] == "skewness"
    assert distance_to({"skewness": 0.5, "entropy": 1}, limit)[1] == "entropy"


def test_a_frame_within_the_distance_is_judged_and_its_distance_recorded() -> None:
    verdict = verdict_of(around(6.0, skewness=3.0, entropy=4.0))

    assert verdict.judged
    assert verdict.measures["distance"] == pytest.approx(5)


def test_a_frame_beyond_the_distance_is_out_of_domain_in_one_line() -> None:
    entropy = measured()["entropy"]

    verdict = verdict_of(around(4.5, skewness=3.0, entropy=4.0))

    assert verdict.fault is Fault.OUT_OF_DOMAIN
    assert verdict.reason == (
        "frame looks unlike the training frames in all its measures together, most in its entropy"
        f" ({entropy:.4g} where {entropy - 4:.4g} is usual): 256 x 256 px frame"
        " (expected distance <= 4.5, got 5); check objective, phase ring and culture, or train a"
        " model on such frames"
    )


def test_a_single_measure_that_is_off_is_named_before_the_distance() -> None:
    pixels = make_cells()
    quality = {"domain": {"entropy": (90, 99)}, "distance": around(0.1, skewness=3.0)}

    verdict = judge(pixels, view_of(pixels), make_card(quality=quality), 1.0)

    assert verdict.reason.startswith("frame looks unlike the training frames in its entropy: ")
    assert verdict.measures["distance"] == pytest.approx(3)


def test_a_card_without_the_limit_loads_and_records_no_distance() -> None:
    card = make_card()

    assert card.quality.distance is None
    assert "distance" not in measured()
    assert ModelCard.model_validate(card.model_dump(mode="json")) == card


def test_a_card_with_the_limit_survives_being_written_and_read() -> None:
    card = make_card(quality={"distance": TIED})

    assert ModelCard.model_validate(card.model_dump(mode="json")) == card


@pytest.mark.parametrize(
    "wrong",
    [
        {"mean": [0.0]},
        {"precision": [[1.0, 0.0]]},
        {"precision": [[1.0], [0.0]]},
        {"limit": 0.0},
        {"measures": []},
    ],
)
def test_a_limit_that_does_not_fit_itself_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DistanceLimit.model_validate(TIED | wrong)


def test_a_limit_on_an_unknown_measure_is_refused() -> None:
    with pytest.raises(ModelError, match=r"card limits measures that do not exist: .*got glow"):
        verdict_of(TIED | {"measures": ["glow", "entropy"]})
