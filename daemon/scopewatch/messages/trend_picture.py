"""The time course of a well as a picture, with its forecast."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.alerts.observation import Reading
from scopewatch.core.imaging.caption import AMBER, FAINT, INK
from scopewatch.messages.canvas import Canvas, Colour, text_px
from scopewatch.messages.chart_data import Trend
from scopewatch.messages.trend_axes import SHARES, TrendAxes, span_of

WIDTH: Final = 880
HEIGHT: Final = 520
LEFT, RIGHT, TOP, BOTTOM = 70, 40, 96, 86
BLUE: Final = (90, 170, 255)
# Apart from the blue by hue and by brightness, also to those who see few colours.
ROSE: Final = (255, 140, 170)
GRID: Final = (60, 64, 68)
SMALL: Final = 17
LARGE: Final = 22


def draw_trend(trend: Trend) -> NDArray[np.uint8]:
    """Draw measured points with their interval, the newest estimate of the well, and its forecast.

    Efficiency runs from 0 to 100 % in every picture, so that wells can be compared by eye.

    Returns
    -------
    (520, 880, 3) uint8.
    """
    canvas = Canvas(WIDTH, HEIGHT)
    axes = _axes_of(trend)
    _draw_axes(canvas, axes)
    if trend.target is not None:
        _draw_target(canvas, axes, trend.target)
    _draw_course(canvas, axes, trend)
    if trend.forecast is not None and trend.final_day is not None:
        _draw_forecast(canvas, axes, trend, trend.forecast, trend.final_day)
    if trend.now is not None:
        _draw_whisker(canvas, axes, trend.day, trend.now, BLUE)
    _write_words(canvas, trend)
    return canvas.finish()


def _axes_of(trend: Trend) -> TrendAxes:
    first, last = span_of(
        (point.day for point in trend.points), also=(trend.day, trend.final_day or 0)
    )
    return TrendAxes(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=RIGHT,
        top=TOP,
        bottom=BOTTOM,
        first=first,
        last=last,
    )


def _draw_axes(canvas: Canvas, axes: TrendAxes) -> None:
    x, y = axes.x, axes.y
    for share in SHARES:
        canvas.line([(LEFT, y(share)), (WIDTH - RIGHT, y(share))], GRID)
        canvas.faint((LEFT - 10, y(share)), f"{share:.0%}", SMALL, "rm")
    for day in axes.days(12):
        canvas.line([(x(day), y(0)), (x(day), y(0) + 6)], FAINT)
        canvas.faint((x(day), y(0) + 10), str(day), SMALL, "ma")
    canvas.faint((WIDTH - RIGHT, y(0) + 34), "day of the differentiation", SMALL, "ra")


def _draw_target(canvas: Canvas, axes: TrendAxes, target: float) -> None:
    at = axes.y(target)
    canvas.dashes((LEFT, at), (WIDTH - RIGHT, at), AMBER, 2)
    canvas.text((LEFT + 6, at - 4), f"target {target:.0%}", SMALL, AMBER, "lb")


def _draw_course(canvas: Canvas, axes: TrendAxes, trend: Trend) -> None:
    x, y = axes.x, axes.y
    points = sorted(trend.points, key=lambda point: point.day)
    upper = [(x(p.day), y(min(p.efficiency + p.half_width, 1))) for p in points]
    lower = [(x(p.day), y(max(p.efficiency - p.half_width, 0))) for p in reversed(points)]
    if len(points) > 1:
        canvas.area(upper + lower, BLUE, 0.25)
        canvas.line([(x(p.day), y(p.efficiency)) for p in points], BLUE, 2)
    for point in points:
        canvas.dot((x(point.day), y(point.efficiency)), 4, BLUE)


def _draw_forecast(
    canvas: Canvas, axes: TrendAxes, trend: Trend, forecast: Reading, final_day: float
) -> None:
    """Draw the wedge from the newest estimate to the interval on the final day."""
    x, y = axes.x, axes.y
    origin = trend.now.value if trend.now is not None else trend.points[-1].efficiency
    begin = (x(trend.day), y(origin))
    high, low = (x(final_day), y(forecast.high)), (x(final_day), y(forecast.low))
    canvas.area([begin, high, low], ROSE, 0.22)
    canvas.dashes(begin, (x(final_day), y(forecast.value)), ROSE, 2)
    _draw_whisker(canvas, axes, final_day, forecast, ROSE)


def _draw_whisker(
    canvas: Canvas, axes: TrendAxes, day: float, reading: Reading, colour: Colour
) -> None:
    """Draw a value with its interval."""
    at, y = axes.x(day), axes.y
    canvas.line([(at, y(reading.low)), (at, y(reading.high))], colour, 2)
    for end in (reading.low, reading.high):
        canvas.line([(at - 6, y(end)), (at + 6, y(end))], colour, 2)
    canvas.dot((at, y(reading.value)), 7, colour, hollow=True)


def _write_words(canvas: Canvas, trend: Trend) -> None:
    if trend.simulated:
        canvas.badge("SIMULATED", LARGE)
    canvas.text((20, 16), _short(trend.name, LARGE), LARGE)
    at = 20.0
    for words, colour in _readings(trend):
        canvas.text((at, 54), words, SMALL, colour)
        at += text_px(words, SMALL) + 24
    canvas.faint(
        (20, HEIGHT - 14),
        "dots: measured, with their interval; ring: estimate now"
        + ("; dashed: forecast" if trend.forecast is not None else ""),
        SMALL,
        "lb",
    )


def _readings(trend: Trend) -> list[tuple[str, Colour]]:
    lines = []
    if trend.now is not None:
        lines.append((f"now (day {trend.day:.1f}): {_say(trend.now)}", BLUE))
    if trend.forecast is not None and trend.final_day is not None:
        lines.append((f"forecast for day {trend.final_day:g}: {_say(trend.forecast)}", ROSE))
    return lines or [("no estimate", INK)]


def _say(reading: Reading) -> str:
    return f"{reading.value:.0%} ({reading.low:.0%} to {reading.high:.0%})"


def _short(name: str, size_px: int) -> str:
    """Cut a name so that it leaves room for the badge."""
    while text_px(name, size_px) > WIDTH - 220:
        name = f"{name[:-4]}..."
    return name
