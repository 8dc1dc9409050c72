"""The figures of a bundle in one sentence: how far off, which way, and what a guess would do."""

from typing import Any

import pytest

from scopewatch_training.evaluation.in_words import describe_error

pytestmark = pytest.mark.training


def figures(*pairs: tuple[float | None, float]) -> dict[str, Any]:
    return {"fields": [{"corrected": found, "true": true} for found, true in pairs]}


def test_error_and_side_are_stated_against_guessing_the_mean() -> None:
    assert describe_error(figures((0.15, 0.1), (0.55, 0.5), (0.92, 0.9))) == (
        "In words: the efficiency of a field is 4.0 points off on average, and over all 3 fields"
        " 4.0 too high. Whoever guessed their mean, 50 %, for each of them would be 26.7 points"
        " off."
    )


def test_a_bundle_that_is_no_better_than_a_guess_is_called_so() -> None:
    text = describe_error(figures((0.2, 0.5), (0.3, 0.5), (0.2, 0.6)))
    assert "30.0 points off on average, and over all 3 fields 30.0 too low." in text
    assert "The bundle is no better than that here: look at the labels" in text


def test_two_fields_are_not_set_against_a_guess() -> None:
    text = describe_error(figures((0.4, 0.5), (0.6, 0.5)))
    assert text.endswith("over all 2 fields neither too high nor too low.")


def test_fields_without_an_efficiency_are_left_out() -> None:
    assert describe_error(figures((None, 0.5))) == describe_error({}) == ""
