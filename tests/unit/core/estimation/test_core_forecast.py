"""What a well will come to, and when that cannot be shown."""

from dataclasses import replace
from typing import Any

import pytest

from scopewatch.core.estimation.forecast import (
    NoForecast,
    Silence,
    WellForecast,
    first_day,
    forecast,
)
from scopewatch.core.imaging.model_card.held_out import ForecastDay
from tests.unit.core.alert_samples import make_forecast, make_running


def row(day: float, **fields: Any) -> ForecastDay:
    defaults: dict[str, Any] = {
        "intercept": 0.1,
        "slope": 0.8,
        "half_width": 0.1,
        "better_than_prior": True,
    }
    return ForecastDay(day=day, **(defaults | fields))


TABLE = (
    row(4, better_than_prior=False, half_width=0.4),
    row(6, intercept=0.2, slope=1.0, half_width=0.2),
    row(8, intercept=0.0, slope=1.0, half_width=0.1),
    row(10, intercept=0.0, slope=1.0, half_width=0.05),
)


def foreseen(day: float, value: float = 0.3, **options: Any) -> WellForecast:
    found = forecast(options.pop("table", TABLE), make_running(value, last_day=day), 10, **options)
    assert isinstance(found, WellForecast), found
    return found


def silent(day: float, value: float = 0.3, **options: Any) -> NoForecast:
    final_day = options.pop("final_day", 10)
    table = options.pop("table", TABLE)
    found = forecast(table, make_running(value, last_day=day), final_day, **options)
    assert isinstance(found, NoForecast), found
    return found


def test_a_day_of_the_table_gives_its_line_and_interval() -> None:
    seen = foreseen(8)
    assert (seen.value, seen.low, seen.high) == pytest.approx((0.3, 0.2, 0.4))
    assert (seen.made_on_day, seen.final_day, seen.coverage) == (8, 10, 0.9)


def test_between_two_days_it_lies_between_them() -> None:
    seen = foreseen(7)
    assert seen.value == pytest.approx(0.4)
    assert seen.half_width == pytest.approx(0.15)


def test_the_trend_counts_where_the_table_knows_of_it() -> None:
    rising = make_running(0.1, 0.2, 0.3, 0.4, last_day=8)
    plain = forecast([row(8), row(10)], rising, 10)
    swift = forecast([row(8, trend_slope=1.0), row(10)], rising, 10)
    assert isinstance(plain, WellForecast)
    assert isinstance(swift, WellForecast)
    assert swift.value - plain.value == pytest.approx(rising.trend_per_day)


def test_there_is_no_forecast_before_the_day_that_held_out_runs_support() -> None:
    assert first_day(TABLE) == 6
    seen = silent(5.5)
    assert seen.cause is Silence.TOO_EARLY
    assert seen.reason == "held-out runs support a forecast from day 6 on"
    assert foreseen(6).made_on_day == 6


def test_a_day_that_beat_guessing_by_chance_does_not_begin_the_forecast() -> None:
    table = (row(4), row(6, better_than_prior=False), row(8), row(10))
    assert first_day(table) == 8
    assert silent(5, table=table).cause is Silence.TOO_EARLY


def test_a_card_without_a_forecast_gives_none() -> None:
    assert silent(8, table=()).cause is Silence.NO_TABLE
    assert first_day([row(4, better_than_prior=False)]) is None


def test_a_run_of_another_length_is_not_foretold() -> None:
    seen = silent(8, final_day=14)
    assert seen.cause is Silence.OTHER_FINAL_DAY
    assert "set experiment.final_day" in seen.reason


def test_a_well_that_went_on_past_the_table_is_not_foretold() -> None:
    assert foreseen(10.5).value == pytest.approx(0.3)
    assert silent(11.5).cause is Silence.PAST_THE_TABLE


def test_a_frame_that_cannot_be_judged_gives_no_forecast() -> None:
    seen = silent(8, unfit="out-of-focus")
    assert seen.cause is Silence.UNFIT_FRAME
    assert "out-of-focus" in seen.reason


def test_a_well_unlike_all_that_the_card_was_built_on_is_not_foretold() -> None:
    table = (row(8, estimate_range=(0.2, 0.6)), row(10, estimate_range=(0.2, 0.6)))
    assert foreseen(8, 0.65, table=table).value > 0.5
    seen = silent(8, 0.75, table=table)
    assert seen.cause is Silence.OUTSIDE_THE_CARD
    assert "reads 75% on day 8.0" in seen.reason


def test_a_forecast_is_a_fraction() -> None:
    table = (row(8, intercept=0.5, slope=2.0), row(10))
    seen = foreseen(8, 0.9, table=table)
    assert (seen.value, seen.high) == (1, 1)


def test_the_chance_to_end_below_a_target_follows_the_held_out_errors() -> None:
    seen = make_forecast(0.5, errors=(-0.3, -0.1, 0.0, 0.1))
    # Levels 1/8, 3/8, 5/8, 7/8; never surer than the outermost.
    assert seen.probability_below(0.5) == pytest.approx(5 / 8)
    assert seen.probability_below(0.55) == pytest.approx(6 / 8)
    assert seen.probability_below(0.1) == pytest.approx(1 / 8)
    assert seen.probability_below(0.9) == pytest.approx(7 / 8)


def test_without_errors_the_chance_follows_the_interval() -> None:
    seen = make_forecast(0.5, half_width=0.1)
    assert seen.probability_below(0.5) == pytest.approx(0.5)
    assert seen.probability_below(0.6) == pytest.approx(0.95, abs=0.001)
    assert seen.probability_below(0.4) == pytest.approx(0.05, abs=0.001)
    sure = make_forecast(0.5, half_width=0)
    assert (sure.probability_below(0.5), sure.probability_below(0.51)) == (0, 1)


def test_errors_of_two_days_are_joined_level_by_level() -> None:
    table = (row(8, errors=(-0.2, 0.0, 0.2)), row(10, errors=(-0.1, 0.0, 0.1)))
    assert foreseen(9, table=table).errors == pytest.approx((-0.15, 0.0, 0.15))
    uneven = (row(8, errors=(-0.2, 0.2)), row(10, errors=(-0.1, -0.05, 0.05, 0.1)))
    assert len(foreseen(9, table=uneven).errors) == 4
    lacking = (row(8, errors=(-0.2, 0.2)), row(10))
    assert foreseen(9, table=lacking).errors == ()


def test_the_order_of_the_table_does_not_matter() -> None:
    assert foreseen(7, table=TABLE[::-1]) == foreseen(7)


def test_a_forecast_outside_its_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="not ordered within 0 to 1"):
        replace(make_forecast(0.5), low=0.6)


def test_errors_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="must ascend"):
        make_forecast(0.5, errors=(0.1, -0.1))
