"""The time course of a well as geometry; the template draws it as SVG.

Inline SVG needs no script, no library and no network, prints well, and follows the page's
colours in light and dark.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scopewatch.core.estimation.forecast import WellForecast
from scopewatch.core.phrases import Language
from scopewatch.messages.translator import Say, translator
from scopewatch.messages.trend_axes import SHARES, TrendAxes, span_of
from scopewatch.store.read.records.alerts import AlertRow
from scopewatch.store.read.records.runs_and_wells import CoursePoint, Outlook
from scopewatch.web.wording import percent

WIDTH = 720
HEIGHT = 314
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 20, 50
# More dots than these run into each other: the line alone is drawn, the newest are marked.
MOST_DOTS = 120
# Of the label of a target, in the size that small screens have.
LABEL_INDENT, LABEL_WIDTH, LABEL_HEIGHT = 6, 160, 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A labelled place on an axis, in SVG units."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetLine:
    """A target: the height of its line, and where its label begins, in SVG units."""

    at: float
    label: str
    label_x: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A measured point, in SVG units, with its text for the pointer and the screen reader."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment at which an alert was raised, or somebody did something."""

    x: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """The forecast: from the running estimate to the final day, with its interval."""

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

    `dots` are the newest points, `acts` what people did to the time-lapse. `band` and `line` are
    ready for the `points` attribute; `band` is empty where the model gives no interval.
    """

    summary: str
    line: str
    band: str
    dots: tuple[Dot, ...]
    marks: tuple[Mark, ...]
    acts: tuple[Mark, ...]
    ahead: Ahead | None
    targets: tuple[TargetLine, ...]
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
    targets: Sequence[float],
    outlook: Outlook | None = None,
    language: Language = Language.ENGLISH,
    *,
    acts: Sequence[tuple[float, str]] = (),
) -> Chart | None:
    """Lay out the time course of one well; None when there is no point yet.

    Efficiency runs from 0 to 100 % on every chart, so that wells can be compared by eye. Where
    there is a forecast the days run on to the final one.

    Parameters
    ----------
    targets
        Efficiencies to reach, each a line.
    acts
        What people did to the time-lapse: its day, and a message id.
    """
    if not points:
        return None
    say = translator(language)
    foreseen = outlook.forecast if outlook is not None else None
    forecast = foreseen if isinstance(foreseen, WellForecast) else None
    axes = _axes_of(points, forecast)

    def x(day: float) -> float:
        return round(axes.x(day), 1)

    def y(efficiency: float) -> float:
        return round(axes.y(efficiency), 1)

    has_band = all(point.efficiency.corrected for point in points)
    xs = [x(point.day) for point in points]
    upper = [f"{at},{y(point.efficiency.high)}" for at, point in zip(xs, points, strict=True)]
    lower = [f"{at},{y(point.efficiency.low)}" for at, point in zip(xs, points, strict=True)]
    return Chart(
        summary=_summarise(points, targets, forecast, say),
        line=" ".join(
            f"{at},{y(point.efficiency.value)}" for at, point in zip(xs, points, strict=True)
        ),
        band=" ".join(upper + lower[::-1]) if has_band else "",
        dots=tuple(
            Dot(x=x(point.day), y=y(point.efficiency.value), text=_describe(point, say))
            for point in points[-MOST_DOTS:]
        ),
        marks=tuple(
            Mark(x=x(alert.day), text=_flagged(alert.day, alert.rule, say))
            for alert in alerts
            if alert.day is not None
        ),
        acts=tuple(
            Mark(x=x(at), text=f"{say('day {day}').format(day=f'{at:.1f}')}: {say(what)}")
            for at, what in acts
            if axes.first <= at <= axes.last
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
            text=_describe_forecast(forecast, say),
        ),
        targets=_target_lines(targets, y, say),
        days=tuple(Tick(at=x(day), label=f"{day:g}") for day in axes.days(10)),
        percents=tuple(Tick(at=y(share), label=percent(share)) for share in SHARES),
    )


def _target_lines(
    targets: Sequence[float], y: Callable[[float], float], say: Say
) -> tuple[TargetLine, ...]:
    """Return the lines of targets, the highest first; labels of near ones lie side by side."""
    lines: list[TargetLine] = []
    for target in sorted(targets, reverse=True):
        at, label_x = y(target), float(LEFT + LABEL_INDENT)
        if lines and at - lines[-1].at < LABEL_HEIGHT:
            label_x = lines[-1].label_x + LABEL_WIDTH
        label = say("target {target}").format(target=percent(target))
        lines.append(TargetLine(at=at, label=label, label_x=label_x))
    return tuple(lines)


def _axes_of(points: Sequence[CoursePoint], forecast: WellForecast | None) -> TrendAxes:
    first, last = span_of(
        (point.day for point in points), also=(forecast.final_day,) if forecast else ()
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


def _summarise(
    points: Sequence[CoursePoint],
    targets: Sequence[float],
    forecast: WellForecast | None,
    say: Say,
) -> str:
    newest = points[-1]
    lines = [
        say("Efficiency from day {first} to day {last}").format(
            first=f"{points[0].day:.1f}", last=f"{newest.day:.1f}"
        ),
        say("now {reading}").format(reading=percent(newest.efficiency.value)),
        *(say("target {target}").format(target=percent(target)) for target in targets),
    ]
    if forecast is not None:
        lines.append(_describe_forecast(forecast, say))
    return "; ".join(lines)


def _flagged(day: float, rule: str, say: Say) -> str:
    return say("flagged on day {day} ({rule})").format(day=f"{day:.1f}", rule=rule)


def _describe(point: CoursePoint, say: Say) -> str:
    seen = point.efficiency
    text = say("day {day}").format(day=f"{point.day:.1f}") + f": {percent(seen.value)}"
    if not seen.corrected:
        return text
    interval = say("{low} to {high}").format(low=percent(seen.low), high=percent(seen.high))
    return f"{text} ({interval})"


def _describe_forecast(forecast: WellForecast, say: Say) -> str:
    return say("forecast for day {day}: {value} ({low} to {high})").format(
        day=f"{forecast.final_day:g}",
        value=percent(forecast.value),
        low=percent(forecast.low),
        high=percent(forecast.high),
    )
