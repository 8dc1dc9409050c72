"""The time course of a well as geometry; the template draws it as SVG.

Inline SVG needs no script, no library and no network, prints well, and follows the page's
colours in light and dark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from scopewatch.core.forecast import WellForecast
from scopewatch.store.records import AlertRow, CoursePoint, Outlook
from scopewatch.web.wording import percent

WIDTH = 720
HEIGHT = 300
LEFT, RIGHT, TOP, BOTTOM = 48, 16, 20, 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A labelled place on an axis, in SVG units."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A measured point, in SVG units, with its text for the pointer and the screen reader."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment at which an alert was raised."""

    x: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """The forecast: from where the well stands to the final day, with its interval."""

    from_x: float
    from_y: float
    x: float
    y: float
    top: float
    bottom: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All that the template draws; coordinates in SVG units from the top left.

    `band` and `line` are ready for the `points` attribute; `band` is empty where the model gives
    no interval.
    """

    summary: str
    line: str
    band: str
    dots: tuple[Dot, ...]
    marks: tuple[Mark, ...]
    ahead: Ahead | None
    target: Tick | None
    days: tuple[Tick, ...]
    percents: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def draw_course(
    points: Sequence[CoursePoint],
    alerts: Sequence[AlertRow],
    target: float | None,
    outlook: Outlook | None = None,
) -> Chart | None:
    """Lay out the time course of one well; None when there is no point yet.

    Efficiency runs from 0 to 100 % on every chart, so that wells can be compared by eye. Where
    there is a forecast the days run on to the final one.
    """
    if not points:
        return None
    told = outlook.forecast if outlook is not None else None
    forecast = told if isinstance(told, WellForecast) else None
    first = floor(min(point.day for point in points))
    days = [point.day for point in points] + ([forecast.final_day] if forecast else [])
    last = max(ceil(max(days)), first + 1)

    def x(day: float) -> float:
        share = min(max((day - first) / (last - first), 0.0), 1.0)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM), 1)

    has_band = all(point.efficiency.corrected for point in points)
    upper = [f"{x(point.day)},{y(point.efficiency.high)}" for point in points]
    lower = [f"{x(point.day)},{y(point.efficiency.low)}" for point in reversed(points)]
    newest = points[-1]
    return Chart(
        summary=(
            f"Efficiency from day {points[0].day:.1f} to day {newest.day:.1f};"
            f" now {percent(newest.efficiency.value)}"
            + (f", target {percent(target)}" if target is not None else "")
            + (f"; {_say_forecast(forecast)}" if forecast is not None else "")
        ),
        line=" ".join(f"{x(point.day)},{y(point.efficiency.value)}" for point in points),
        band=" ".join(upper + lower) if has_band else "",
        dots=tuple(
            Dot(x=x(point.day), y=y(point.efficiency.value), text=_say(point)) for point in points
        ),
        marks=tuple(
            Mark(x=x(alert.day), text=f"flagged on day {alert.day:.1f} ({alert.rule})")
            for alert in alerts
            if alert.day is not None
        ),
        ahead=None
        if forecast is None or outlook is None
        else Ahead(
            from_x=x(outlook.now_day),
            from_y=y(outlook.now),
            x=x(forecast.final_day),
            y=y(forecast.value),
            top=y(forecast.high),
            bottom=y(forecast.low),
            text=_say_forecast(forecast),
        ),
        target=None if target is None else Tick(at=y(target), label=f"target {percent(target)}"),
        days=tuple(Tick(at=x(day), label=f"{day:g}") for day in _days(first, last)),
        percents=tuple(
            Tick(at=y(share), label=percent(share)) for share in (0, 0.25, 0.5, 0.75, 1)
        ),
    )


def _say(point: CoursePoint) -> str:
    seen = point.efficiency
    interval = f" ({percent(seen.low)} to {percent(seen.high)})" if seen.corrected else ""
    return f"day {point.day:.1f}: {percent(seen.value)}{interval}"


def _say_forecast(forecast: WellForecast) -> str:
    return (
        f"forecast for day {forecast.final_day:g}: {percent(forecast.value)}"
        f" ({percent(forecast.low)} to {percent(forecast.high)})"
    )


def _days(first: int, last: int) -> range:
    """Return at most about ten whole days to label."""
    return range(first, last + 1, max(1, ceil((last - first) / 10)))
