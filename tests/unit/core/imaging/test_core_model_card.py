"""The model card is read strictly."""

from typing import Any

import pytest
from pydantic import ValidationError

from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.core.imaging.normalise import NormaliseSpec
from tests.unit.core.samples import make_card


def test_a_card_survives_being_written_and_read() -> None:
    card = make_card(quality={"min_focus": 0.1, "domain": {"entropy": (3, 5)}})
    assert ModelCard.model_validate(card.model_dump(mode="json")) == card


def test_the_model_id_is_the_start_of_its_hash() -> None:
    assert make_card().model_id == "0123456789ab"


def test_the_card_gives_settings_and_rates_as_the_core_takes_them() -> None:
    card = make_card(errors={"tpr": 0.8, "fpr": 0.1, "half_width": 0.05, "run_residuals": {"a": 0}})
    assert card.normalisation.spec() == NormaliseSpec(background_px=64, contrast_floor=0.01, clip=6)
    assert card.errors is not None
    rates = card.errors.rates()
    assert (rates.tpr, rates.fpr, rates.half_width, rates.coverage) == (0.8, 0.1, 0.05, 0.9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "green"}, "Extra inputs are not permitted"),
        ({"schema_version": 2}, "Input should be 1"),
        ({"model_sha256": "abc"}, "String should match pattern"),
        ({"threshold": 1.0}, "less than 1"),
        ({"tile_px": 7}, "greater than or equal to 8"),
        ({"um_per_px": 0.0}, "greater than 0"),
        ({"trained_on": []}, "at least 1 item"),
        ({"held_out": ["a"]}, r"runs stand as trained on and as held out: \['a'\]"),
        ({"quality": {"min_sharp": 1}}, "Extra inputs are not permitted"),
        ({"quality": {"max_resample": 0.5}}, "greater than or equal to 1"),
        ({"quality": {"domain": {"entropy": (5, 3)}}}, "limits of entropy are out of order"),
        (
            {"quality": {"domain": {"focus": (5, 3)}, "min_focus": 0.1}},
            "limits of focus are out of order",
        ),
        ({"quality": {"min_contrast": 2, "max_contrast": 1}}, "limits of contrast are out of"),
        (
            {"fine_stain": {"side_px": 8, "offset": float("inf"), "of_square": 1, "of_tile": 1}},
            "fine_stain.offset",
        ),
    ],
)
def test_a_card_that_is_off_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make_card(**change)


def test_a_card_without_a_field_is_refused() -> None:
    fields = make_card().model_dump(mode="json")
    del fields["threshold"]
    with pytest.raises(ValidationError, match="threshold\n  Field required"):
        ModelCard.model_validate(fields)


def test_a_card_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        make_card().threshold = 0.1
