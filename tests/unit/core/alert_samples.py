"""Facts and observations that the tests of alert rules build on."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from scopewatch.core.alerts.observation import Observation, Subject
from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.alerts.state_machine import AlertState, Transition, step
from scopewatch.core.alerts.wells import Look, WellFacts
from scopewatch.core.estimation.forecast import NoForecast, Silence, WellForecast
from scopewatch.core.estimation.smoothing import RunningEstimate, WellPoint, smooth

START: Final = datetime(2026, 3, 1, 9, tzinfo=UTC)
WELL: Final = Subject(run="run7", plate="P1", well="B3")
PLATE: Final = Subject(run="run7", plate="P1")


def hours(count: float) -> datetime:
    return START + timedelta(hours=count)


def seen(score: float | None, hour: float = 0, day: float | None = None) -> Observation:
    return Observation(at=hours(hour), day=day, score=score)


def drive(
    rule: AlertRule, series: list[float | None], *, every_h: float = 12, **options: Any
) -> list[Transition | None]:
    """Step a rule over scores at even intervals; return what each step reported."""
    state, transitions = AlertState(), []
    for index, score in enumerate(series):
        observation = seen(score, hour=index * every_h, day=index * every_h / 24)
        state, transition = step(state, rule, observation, **options)
        transitions.append(transition)
    return transitions


def changes(transitions: list[Transition | None]) -> list[tuple[int, str]]:
    """Return at which step what was reported."""
    return [
        (index, each.change.value) for index, each in enumerate(transitions) if each is not None
    ]


def make_running(*values: float, last_day: float = 8, half_width: float = 0.05) -> RunningEstimate:
    """Return a running estimate of points half a day apart."""
    first = last_day - (len(values) - 1) / 2
    return smooth(
        [
            WellPoint(day=first + index / 2, efficiency=value, half_width=half_width)
            for index, value in enumerate(values)
        ]
    )


def make_forecast(value: float, half_width: float = 0.1, **fields: Any) -> WellForecast:
    return WellForecast(
        made_on_day=8,
        final_day=10,
        value=value,
        low=max(value - half_width, 0),
        high=min(value + half_width, 1),
        coverage=0.9,
        half_width=half_width,
        **fields,
    )


TOO_EARLY: Final = NoForecast(cause=Silence.TOO_EARLY, reason="too early")


def make_well(
    well: str = "B3",
    *,
    efficiency: float | None = 0.3,
    forecast: WellForecast | NoForecast | None = TOO_EARLY,
    looks: tuple[Look, ...] | None = None,
    at: datetime = START,
    day: float = 8,
) -> WellFacts:
    """Return a well whose newest time point was judged, unless `looks` say otherwise."""
    running = None if efficiency is None else make_running(*([efficiency] * 4), last_day=day)
    return WellFacts(
        subject=Subject(run="run7", plate="P1", well=well),
        at=at,
        day=day,
        looks=(Look(day=day, positive=efficiency),) if looks is None else looks,
        running=running,
        forecast=forecast,
    )


def make_looks(*measures: Mapping[str, float]) -> tuple[Look, ...]:
    return tuple(Look(day=index / 2, measures=each) for index, each in enumerate(measures))
