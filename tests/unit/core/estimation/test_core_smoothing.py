"""Where a well is: smoothed, with an interval and a trend."""

from dataclasses import replace

import numpy as np
import pytest

from scopewatch.core.estimation.smoothing import WellPoint, smooth


def points(days: list[float], values: list[float], half_width: float = 0.06) -> list[WellPoint]:
    return [
        WellPoint(day=day, efficiency=value, half_width=half_width)
        for day, value in zip(days, values, strict=True)
    ]


def test_a_single_point_is_what_it_is() -> None:
    running = smooth(points([5], [0.3]))
    assert running.value == pytest.approx(0.3)
    assert running.high - running.value == pytest.approx(0.06, abs=0.01)
    assert running.trend_per_day == 0


def test_a_steady_rise_gives_its_trend_and_does_not_lag() -> None:
    days = [index / 2 for index in range(12)]
    running = smooth(points(days, [0.1 + 0.12 * day for day in days]))
    assert running.value == pytest.approx(0.1 + 0.12 * 5.5, abs=0.01)
    assert running.trend_per_day == pytest.approx(0.12, abs=0.01)


def test_smoothing_lessens_the_noise_of_single_time_points() -> None:
    rng = np.random.default_rng(3)
    noise = 0.08
    raw, smoothed = [], []
    for _ in range(100):
        values = 0.5 + rng.normal(0, noise, 20)
        # One time point whose sites agree tells apart the card's error and the sites' scatter.
        known = [WellPoint(day=0, efficiency=0.5, half_width=0.06)] + [
            WellPoint(day=(index + 1) / 2, efficiency=float(value), half_width=0.145)
            for index, value in enumerate(values)
        ]
        raw.append(values[-1] - 0.5)
        smoothed.append(smooth(known).value - 0.5)
    assert np.std(smoothed) < 0.75 * np.std(raw)


def test_the_cards_error_never_averages_out() -> None:
    days = [index / 4 for index in range(40)]
    running = smooth(points(days, [0.5] * 40, half_width=0.1))
    assert running.high - running.value >= 0.1


def test_a_point_whose_sites_scatter_counts_less() -> None:
    steady = points([4, 4.5, 5], [0.3, 0.3, 0.3])
    sure = [*steady, WellPoint(day=5.5, efficiency=0.6, half_width=0.06)]
    torn = [*steady, WellPoint(day=5.5, efficiency=0.6, half_width=0.3)]
    assert smooth(torn).value < smooth(sure).value - 0.1


def test_a_gap_between_frames_widens_what_is_known() -> None:
    known = points([4, 4.5, 5], [0.3, 0.32, 0.34])
    now, later = smooth(known), smooth(known, day=8)
    assert later.high - later.low > 2 * (now.high - now.low)
    assert later.day == 8
    # A point after a gap is believed nearly as it is: the old ones say little of it.
    after_gap = smooth([*known, WellPoint(day=9, efficiency=0.8, half_width=0.06)])
    assert after_gap.value == pytest.approx(0.8, abs=0.02)


def test_the_order_of_arrival_does_not_matter() -> None:
    known = points([4, 4.7, 5, 6.1], [0.3, 0.2, 0.34, 0.5])
    assert smooth(known[::-1]) == smooth(known)


def test_an_estimate_stays_a_fraction() -> None:
    fallen = smooth(points([1, 1.5, 2], [0.3, 0.1, 0.0]), day=4)
    risen = smooth(points([1, 1.5, 2], [0.6, 0.8, 1.0]), day=4)
    assert (fallen.low, fallen.value) == (0, 0)
    assert (risen.value, risen.high) == (1, 1)


def test_nothing_to_smooth_and_the_past_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one point"):
        smooth([])
    with pytest.raises(ValueError, match="day 3 lies before the newest point, day 5"):
        smooth(points([5], [0.3]), day=3)
    with pytest.raises(ValueError, match="not ordered within 0 to 1"):
        replace(smooth(points([5], [0.3])), low=0.5)
    with pytest.raises(ValueError, match="impossible point"):
        WellPoint(day=1, efficiency=1.2, half_width=0.1)
