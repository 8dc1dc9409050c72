"""The forecast table."""

from dataclasses import replace

import numpy as np
import pytest

from scopewatch_training.forecasting.forecast_table import WellDay, fit_forecast


def wells_at(day: float, certainty: float, runs: int = 6, wells: int = 8) -> list[WellDay]:
    """Return wells whose estimate is `certainty` of their final efficiency, the rest noise."""
    rng = np.random.default_rng(int(day * 10))
    made = []
    for run in range(runs):
        for final in rng.uniform(0.05, 0.9, wells):
            noise = rng.uniform(0, 0.9)
            estimate = certainty * final + (1 - certainty) * noise
            made.append(WellDay(run=f"run{run}", day=day, estimate=estimate, final=float(final)))
    return made


def test_a_day_that_predicts_the_end_gives_a_narrow_interval() -> None:
    early, late = fit_forecast([*wells_at(1.0, 0.0), *wells_at(9.0, 0.98)])

    assert (early.day, late.day) == (1.0, 9.0)
    assert late.half_width < 0.06 < early.half_width
    assert late.slope == pytest.approx(1, abs=0.1)
    assert abs(early.slope) < 0.35
    assert late.better_than_prior


def test_a_day_counts_as_better_only_when_all_later_days_are() -> None:
    rows = fit_forecast([*wells_at(3.0, 0.95), *wells_at(5.0, 0.0), *wells_at(7.0, 0.95)])

    assert rows[0].half_width < rows[1].half_width
    assert rows[0].better_than_prior <= rows[1].better_than_prior
    assert rows[2].better_than_prior


def test_the_interval_holds_wells_of_further_runs() -> None:
    row = fit_forecast(wells_at(6.0, 0.9))[0]
    further = wells_at(6.1, 0.9, runs=20)

    off = [abs(row.intercept + row.slope * well.estimate - well.final) for well in further]

    assert np.mean(np.array(off) <= row.half_width) >= 0.85
    assert row.half_width < 0.1


def test_days_with_too_few_wells_or_one_run_get_no_row() -> None:
    assert fit_forecast(wells_at(2.0, 0.9, runs=1, wells=10)) == ()
    assert fit_forecast(wells_at(2.0, 0.9, runs=2, wells=2)) == ()


def test_a_trend_that_predicts_more_than_the_estimate_is_used() -> None:
    rng = np.random.default_rng(3)
    wells = []
    for run in range(6):
        for final in rng.uniform(0.05, 0.9, 10):
            late = rng.uniform(0.2, 0.8)  # at most half of the final efficiency is reached
            wells.append(
                WellDay(
                    run=f"run{run}",
                    day=6.0,
                    estimate=float(final * (1 - late)),
                    trend=float(final * late / 4),
                    final=float(final),
                )
            )

    with_trend = fit_forecast(wells)[0]
    without = fit_forecast([replace(well, trend=0.0) for well in wells])[0]

    assert with_trend.trend_slope > 1
    assert with_trend.half_width < 0.5 * without.half_width


def test_errors_are_sorted_quantiles_in_which_runs_weigh_alike() -> None:
    row = fit_forecast(wells_at(6.0, 0.9))[0]

    assert list(row.errors) == sorted(row.errors)
    assert len(row.errors) == 48
    inside = np.mean(np.abs(row.errors) <= row.half_width)
    assert 0.85 <= inside <= 1
    assert row.estimate_range is not None
    assert 0 <= row.estimate_range[0] < row.estimate_range[1] <= 0.9


def test_days_a_few_minutes_apart_are_one_day() -> None:
    wells = [
        replace(well, day=6.0 + 0.01 * (index % 7)) for index, well in enumerate(wells_at(6.0, 0.9))
    ]

    assert [row.day for row in fit_forecast(wells)] == [6.0]
