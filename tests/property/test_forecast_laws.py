"""Laws of every running estimate and every forecast."""

from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scopewatch.core.estimation.forecast import NoForecast, WellForecast, first_day, forecast
from scopewatch.core.estimation.smoothing import WellPoint, smooth
from scopewatch.core.imaging.model_card.held_out import ForecastDay

# A slow example on a busy machine is no fault of the tested code.
UNHURRIED: Final = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
FRACTION: Final = st.floats(0, 1)
POINTS: Final = st.lists(
    st.builds(
        WellPoint,
        day=st.floats(0, 30).map(lambda day: round(day, 3)),
        efficiency=FRACTION,
        half_width=FRACTION,
    ),
    min_size=1,
    max_size=25,
)
ERRORS: Final = st.lists(st.floats(-1, 1), max_size=30).map(lambda errors: tuple(sorted(errors)))


@st.composite
def tables(draw: st.DrawFn) -> list[ForecastDay]:
    days = draw(st.lists(st.integers(0, 10), min_size=1, max_size=8, unique=True))
    return [
        ForecastDay(
            day=day,
            intercept=draw(st.floats(-1, 1)),
            slope=draw(st.floats(-3, 3)),
            trend_slope=draw(st.floats(-2, 2)),
            half_width=draw(FRACTION),
            better_than_prior=draw(st.booleans()),
            errors=draw(ERRORS),
        )
        for day in sorted(days)
    ]


@UNHURRIED
@given(points=POINTS, ahead=st.floats(0, 20))
def test_a_running_estimate_is_a_fraction_within_its_interval(
    points: list[WellPoint], ahead: float
) -> None:
    newest = max(point.day for point in points)
    now, later = smooth(points), smooth(points, day=newest + ahead)
    assert 0 <= now.low <= now.value <= now.high <= 1
    assert now.trend_half_width <= later.trend_half_width + 1e-12
    # Never narrower than the card's interval, except where 0 and 1 limit it.
    card = min(point.half_width for point in points)
    assert now.low <= max(now.value - card, 0) + 1e-9
    assert now.high >= min(now.value + card, 1) - 1e-9


@UNHURRIED
@given(level=FRACTION, half_width=FRACTION, days=st.lists(st.floats(0, 30), min_size=1))
def test_a_level_that_never_changes_is_found(
    level: float, half_width: float, days: list[float]
) -> None:
    points = [WellPoint(day=day, efficiency=level, half_width=half_width) for day in days]
    running = smooth(points)
    assert running.value == pytest.approx(level, abs=1e-6)
    assert running.trend_per_day == pytest.approx(0, abs=1e-6)


@UNHURRIED
@given(table=tables(), points=POINTS, target=st.floats(0.01, 0.99), more=st.floats(0, 1))
def test_a_forecast_is_ordered_and_its_chance_grows_with_the_target(
    table: list[ForecastDay], points: list[WellPoint], target: float, more: float
) -> None:
    running = smooth(points)
    begins = first_day(table)
    foreseen = forecast(table, running, 10)
    if begins is None or running.day < begins:
        assert isinstance(foreseen, NoForecast)
    if isinstance(foreseen, NoForecast):
        assert foreseen.reason
        return
    assert 0 <= foreseen.low <= foreseen.value <= foreseen.high <= 1
    low, high = foreseen.probability_below(target), foreseen.probability_below(target + more)
    assert 0 <= low <= high <= 1


@UNHURRIED
@given(table=tables(), points=POINTS)
def test_between_two_days_a_forecast_lies_between_theirs(
    table: list[ForecastDay], points: list[WellPoint]
) -> None:
    running = smooth(points)
    foreseen = forecast(table, running, table[-1].day)
    if not isinstance(foreseen, WellForecast):
        return
    near = [row for row in table if row.day <= running.day][-1:]
    near += [row for row in table if row.day > running.day][:1]
    ends = [_value(row, running.value, running.trend_per_day) for row in near]
    assert min(ends) - 1e-9 <= foreseen.value <= max(ends) + 1e-9
    widths = [row.half_width for row in near]
    assert min(widths) - 1e-9 <= foreseen.half_width <= max(widths) + 1e-9


@UNHURRIED
@given(errors=ERRORS, half_width=FRACTION, target=FRACTION, value=FRACTION, more=FRACTION)
def test_a_better_forecast_is_never_likelier_to_end_weak(
    errors: tuple[float, ...], half_width: float, target: float, value: float, more: float
) -> None:
    def chance(centre: float) -> float:
        fields: dict[str, Any] = {"low": 0, "high": 1, "value": centre}
        return WellForecast(
            made_on_day=8,
            final_day=10,
            coverage=0.9,
            half_width=half_width,
            errors=errors,
            **fields,
        ).probability_below(target)

    assert chance(min(value + more, 1)) <= chance(value) + 1e-12


def _value(row: ForecastDay, estimate: float, trend: float) -> float:
    return min(max(row.intercept + row.slope * estimate + row.trend_slope * trend, 0), 1)
