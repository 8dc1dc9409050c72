"""The running estimate of a well: its time points smoothed, with an interval and a trend.

A local linear trend, filtered by Kalman's recursion (Harvey, Forecasting, Structural Time Series
Models and the Kalman Filter, 1989, ch. 2.3 and 3.2): the efficiency has a level that moves with a
slope, and the slope itself drifts. Gaps between frames enter as their length in days, so that
irregular intervals and missing frames need nothing special: a long gap widens the interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Final

# Of a two-sided 90 % interval, as the card's half widths are.
Z90: Final = 1.645
# How far slope and level wander of themselves, per square root of a day: differentiation curves
# turn within about two days by 0.1 to 0.2 per day. On simulated wells these are near the values
# of the highest likelihood (0.12, 0.01 and a noise of 0.01), a little steadier.
SLOPE_DRIFT: Final = 0.08
LEVEL_DRIFT: Final = 0.01
# Least half width of a point: one field of view varies by it from one moment to the next.
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
        0 to 1, as `core.imaging.efficiency.pool` gives it.
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
    """The running estimate of a well. For the final day see `core.estimation.forecast`.

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
        The points to show with it, by day.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class WellFilter:
    """State of the filter of a well: all it needs to take in the next point.

    Parameters
    ----------
    day
        Of the newest point.
    level, slope
        Estimate of the efficiency (not kept within 0 to 1), and its change per day.
    spread
        Covariance of the two: of the level, of both, of the slope.
    shared
        Smallest half width of the points: the run-to-run error that all of them share.
    """

    day: float
    level: float
    slope: float
    spread: tuple[float, float, float]
    shared: float

    def takes(self, point: WellPoint) -> bool:
        """Whether a further point can be taken in.

        Where it lies before the newest one, or shows that less of the half widths is shared than
        was thought, all points have to be filtered again.
        """
        return point.day >= self.day and point.half_width >= self.shared

    def after(self, point: WellPoint) -> "WellFilter":
        """Return the state of the filter after a further point."""
        if not self.takes(point):
            raise ValueError(f"all points have to be filtered again for {point}")
        return _follow(self, (point,))

    def estimate(self, points: Sequence[WellPoint], *, day: float | None = None) -> RunningEstimate:
        """Return the running estimate.

        Parameters
        ----------
        points
            The points to show with it, by day.
        day
            The moment asked for, not before the newest point; None: the newest point.
        """
        now = self.day if day is None else day
        if now < self.day:
            raise ValueError(f"day {now} lies before the newest point, day {self.day}")
        level, of_level, _, of_slope = _predict(
            self.level, self.slope, *self.spread, now - self.day
        )
        value = min(max(level, 0.0), 1.0)
        half_width = sqrt(self.shared**2 + Z90**2 * max(of_level, 0.0))
        return RunningEstimate(
            day=now,
            value=value,
            low=max(value - half_width, 0.0),
            high=min(value + half_width, 1.0),
            trend_per_day=self.slope,
            trend_half_width=Z90 * sqrt(max(of_slope, 0.0)),
            points=tuple(points),
        )


def smooth(points: Sequence[WellPoint], *, day: float | None = None) -> RunningEstimate:
    """Return the running estimate of a well from its points.

    Parameters
    ----------
    points
        In any order; at least one.
    day
        The moment asked for, not before the newest point; None: the newest point.
    """
    ordered = sorted(points, key=lambda point: point.day)
    return filter_points(ordered).estimate(ordered, day=day)


def filter_points(points: Sequence[WellPoint]) -> WellFilter:
    """Filter the points of a well, in any order; at least one.

    The part of the half widths that all points share (the smallest of them) is the card's run-to-
    run error. It does not average out over the frames of one run, so the filter does not see it
    and the interval carries it whole; only what a point has beyond it counts as that point's
    noise.
    """
    if not points:
        raise ValueError("a running estimate needs at least one point")
    first, *later = sorted(points, key=lambda point: point.day)
    shared = min(point.half_width for point in points)
    begun = WellFilter(
        day=first.day,
        level=first.efficiency,
        slope=0.0,
        spread=(_noise(first, shared), 0.0, FIRST_SLOPE**2),
        shared=shared,
    )
    return _follow(begun, later)


def _follow(reached: WellFilter, points: Sequence[WellPoint]) -> WellFilter:
    """Take in further points, by day."""
    day, level, slope = reached.day, reached.level, reached.slope
    of_level, of_both, of_slope = reached.spread
    for point in points:
        level, of_level, of_both, of_slope = _predict(
            level, slope, of_level, of_both, of_slope, point.day - day
        )
        day = point.day
        noise = _noise(point, reached.shared)
        missed = point.efficiency - level
        gain, turn = of_level / (of_level + noise), of_both / (of_level + noise)
        level += gain * missed
        slope += turn * missed
        # Joseph's form stays positive whatever the rounding.
        keep, mixed = 1 - gain, of_both - turn * of_level
        of_level, of_both, of_slope = (
            keep * of_level * keep + noise * gain * gain,
            keep * mixed + noise * gain * turn,
            of_slope - turn * of_both - turn * mixed + noise * turn * turn,
        )
    return WellFilter(
        day=day,
        level=level,
        slope=slope,
        spread=(of_level, of_both, of_slope),
        shared=reached.shared,
    )


def _predict(
    level: float, slope: float, of_level: float, of_both: float, of_slope: float, days: float
) -> tuple[float, float, float, float]:
    """Return the level and the covariances so many days later."""
    # The slope is a Wiener process: what it does to the level within a gap is integrated exactly.
    drift = SLOPE_DRIFT**2 * days
    return (
        level + days * slope,
        of_level
        + days * (2 * of_both + days * of_slope + drift * days / 3)
        + LEVEL_DRIFT**2 * days,
        of_both + days * (of_slope + drift / 2),
        of_slope + drift,
    )


def _noise(point: WellPoint, shared: float) -> float:
    return (point.half_width**2 - shared**2) / Z90**2 + FRAME_NOISE**2
