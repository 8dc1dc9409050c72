import pytest

from scopewatch.messages.trend_axes import TrendAxes, span_of


def axes(first: int = 2, last: int = 12) -> TrendAxes:
    return TrendAxes(
        width=200, height=100, left=20, right=30, top=10, bottom=15, first=first, last=last
    )


def test_days_run_to_the_right_and_efficiency_upwards() -> None:
    assert (axes().x(2), axes().x(7), axes().x(12)) == (20, 95, 170)
    assert (axes().y(0), axes().y(0.5), axes().y(1)) == (85, 47.5, 10)


def test_a_day_beyond_the_axis_is_at_its_edge() -> None:
    assert (axes().x(-5), axes().x(99)) == (20, 170)


def test_so_many_days_are_labelled_and_hardly_more() -> None:
    assert list(axes().days(5)) == [2, 4, 6, 8, 10, 12]
    assert len(axes(0, 300).days(10)) == 11
    assert list(axes(3, 4).days(10)) == [3, 4]


def test_whole_days_hold_all_points_and_what_is_expected() -> None:
    assert span_of([2.4, 5.5]) == (2, 6)
    assert span_of([2.4, 5.5], also=[10.0]) == (2, 10)
    assert span_of([3.0]) == (3, 4), "at least one day"


def test_axes_without_a_day_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        axes(4, 4)
