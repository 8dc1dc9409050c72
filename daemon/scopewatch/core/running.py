"""The running estimate of a well: its time points smoothed, with an interval and a trend.

A local linear trend, filtered by Kalman's recursion (Harvey, Forecasting, Structural Time Series
Models and the Kalman Filter, 1989, ch. 2.3 and 3.2): the efficiency has a level that moves with a
slope, and the slope itself drifts. Gaps between frames enter as their length in days, so that
irregular intervals and missing frames need nothing special: a long gap widens the interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Of a two-sided 90 % interval, as the card's half widths are.
Z90: Final = 1.645
# How far slope and level wander of themselves, per square root of a day: differentiation curves
# turn within about two days by 0.1 to 0.2 per day. On simulated wells these are near the values
# of the highest likelihood (0.12, 0.01 and a noise of 0.01), a little steadier.
SLOPE_DRIFT: Final = 0.08
LEVEL_DRIFT: Final = 0.01
# What one field of view differs by from one moment to the next, whatever the sites' scatter says.
FRAME_NOISE: Final = 0.02
FIRST_SLOPE: Final = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class WellPoint:
    """The pooled efficiency of a well at one time point.

    Parameters
    ----------
    day
        Of the differentiation run, may be fractional.
    efficiency
        0 to 1, as `core.efficiency.pool` gives it.
    half_width
        Of its interval, 0 to 1: the card's half width with the sites' scatter.
    """

    day: float
    efficiency: float
    half_width: float

    def __post_init__(self) -> None:
        inside = 0 <= self.efficiency <= 1 and 0 <= self.half_width <= 1
        if not (inside and isfinite(self.day)):
            raise ValueError(f"impossible point of a well: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningEstimate:
    """Where a well stands now. It says nothing of the final day: see `core.forecast`.

    Parameters
    ----------
    day
        Of the newest point, or the later one that was asked for.
    value, low, high
        Smoothed efficiency with its 90 % interval, 0 to 1.
    trend_per_day
        Change of the efficiency per day, may be negative.
    trend_half_width
        Half width of the trend's 90 % interval, per day.
    points
        What it was made of, by day.
    """

    day: float
    value: float
    low: float
    high: float
    trend_per_day: float
    trend_half_width: float
    points: tuple[WellPoint, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.value <= self.high <= 1:
            raise ValueError(f"running estimate is not ordered within 0 to 1: {self}")


def smooth(points: Sequence[WellPoint], *, day: float | None = None) -> RunningEstimate:
    """Filter the points of a well into where it stands.

    The part of the half widths that all points share (the smallest of them) is the card's run-to-
    run error. It does not average out over the frames of one run, so the filter does not see it
    and the interval carries it whole; only what a point has beyond it counts as that point's
    noise.

    Parameters
    ----------
    points
        In any order; at least one.
    day
        The moment asked for, not before the newest point; None: the newest point.
    """
    if not points:
        raise ValueError("a running estimate needs at least one point")
    ordered = tuple(sorted(points, key=lambda point: point.day))
    shared = min(point.half_width for point in ordered)
    noise = [(point.half_width**2 - shared**2) / Z90**2 + FRAME_NOISE**2 for point in ordered]
    state = np.array([ordered[0].efficiency, 0.0])
    spread = np.diag([noise[0], FIRST_SLOPE**2])
    for (before, point), variance in zip(pairwise(ordered), noise[1:], strict=True):
        state, spread = _predict(state, spread, point.day - before.day)
        state, spread = _update(state, spread, point.efficiency, variance)
    now = ordered[-1].day if day is None else day
    if now < ordered[-1].day:
        raise ValueError(f"day {now} lies before the newest point, day {ordered[-1].day}")
    state, spread = _predict(state, spread, now - ordered[-1].day)
    value = min(max(float(state[0]), 0.0), 1.0)
    half_width = sqrt(shared**2 + Z90**2 * max(float(spread[0, 0]), 0.0))
    return RunningEstimate(
        day=now,
        value=value,
        low=max(value - half_width, 0.0),
        high=min(value + half_width, 1.0),
        trend_per_day=float(state[1]),
        trend_half_width=Z90 * sqrt(max(float(spread[1, 1]), 0.0)),
        points=ordered,
    )


def _predict(
    state: NDArray[np.float64], spread: NDArray[np.float64], days: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    move = np.array([[1.0, days], [0.0, 1.0]])
    # The slope is a Wiener process: what it does to the level within a gap is integrated exactly.
    drift = SLOPE_DRIFT**2 * np.array([[days**3 / 3, days**2 / 2], [days**2 / 2, days]])
    drift[0, 0] += LEVEL_DRIFT**2 * days
    return move @ state, move @ spread @ move.T + drift


def _update(
    state: NDArray[np.float64], spread: NDArray[np.float64], seen: float, variance: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    gain = spread[:, 0] / (spread[0, 0] + variance)
    # Joseph's form stays symmetric and positive whatever the rounding.
    keep = np.eye(2) - np.outer(gain, [1.0, 0.0])
    after = keep @ spread @ keep.T + variance * np.outer(gain, gain)
    return state + gain * (seen - state[0]), after
