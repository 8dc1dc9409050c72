"""Cutting frames into strips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopewatch.inference.strips import Strip, plan_strips


def test_a_frame_that_fits_is_one_strip() -> None:
    assert plan_strips(7, margin=3, most_rows=7) == (Strip(top=0, bottom=7, first=0, stop=7),)


def test_strips_of_a_tall_frame_overlap_by_the_margin() -> None:
    strips = plan_strips(20, margin=2, most_rows=9)

    assert strips == (
        Strip(top=0, bottom=9, first=0, stop=7),
        Strip(top=5, bottom=14, first=7, stop=12),
        Strip(top=10, bottom=19, first=12, stop=17),
        Strip(top=11, bottom=20, first=17, stop=20),
    )


def test_a_budget_without_room_between_two_margins_is_refused() -> None:
    with pytest.raises(ValueError, match="6 rows leave nothing between two margins of 3"):
        plan_strips(20, margin=3, most_rows=6)


@given(st.integers(1, 300), st.integers(0, 9), st.integers(0, 60))
def test_strips_keep_every_row_once_and_its_margin(rows: int, margin: int, spare: int) -> None:
    most_rows = 2 * margin + 1 + spare

    strips = plan_strips(rows, margin=margin, most_rows=most_rows)

    assert [row for strip in strips for row in range(strip.first, strip.stop)] == list(range(rows))
    assert {strip.bottom - strip.top for strip in strips} == {min(rows, most_rows)}
    for strip in strips:
        assert strip.top == 0 or strip.first - strip.top >= margin
        assert strip.bottom == rows or strip.bottom - strip.stop >= margin
