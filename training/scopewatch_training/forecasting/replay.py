"""Replays courses of wells through the rules that the daemon steps, and says what was told when.

A method turns a course into one observation for each time point before the final day; `watch`
steps a rule on them. The daemon's own method and the baselines differ in nothing else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np

from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.alerts.state_machine import AlertState, Change, Observation, Subject, step
from scopewatch.core.alerts.wells import Look, WellFacts, observe_well
from scopewatch.core.estimation.forecast import NoForecast, WellForecast, forecast
from scopewatch.core.imaging.model_card import ForecastDay
from scopewatch_training.forecasting.courses import Course
from scopewatch_training.forecasting.timelapse import Well

_START: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Day 0 of every replayed run: the rules' cooldown needs some clock, and any one does."""

LINE_POINTS: Final = 4
"""Newest time points that the linear extrapolation lays its line through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A course with what a method says of it at each time point before the final day."""

    course: Course
    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an operator was told of a well before the final day.

    Parameters
    ----------
    ever
        Whether an alert was raised at all, taken back or not.
    since_day
        Day on which the alert was raised that stood to the end; None where none stood.
    """

    place: Well
    final: float
    ever: bool
    since_day: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """A forecast beside the end it spoke of; 0 to 1."""

    run: str
    day: float
    value: float
    low: float
    high: float
    final: float

    @property
    def held(self) -> bool:
        """Whether the interval held the end."""
        return self.low <= self.final <= self.high


def replay_forecast(
    course: Course, table: Sequence[ForecastDay], rule: AlertRule, final_day: float
) -> Replayed:
    """Observe a course by a rule of wells, with what the daemon would know at each moment."""
    run, plate, well = course.place
    subject = Subject(experiment=run, plate=plate, well=well)
    looks: list[Look] = []
    observations = []
    running = None
    sights = {sight.day: sight for sight in course.sights}
    for day, fault in _moments(course, final_day):
        looks.append(Look(day=day, fault=fault))
        if not fault:
            running = sights[day].running
        told: WellForecast | NoForecast | None = None
        if running is not None:
            told = forecast(table, running, final_day, unfit=fault)
        facts = WellFacts(
            subject=subject,
            at=_at(day),
            day=day,
            looks=tuple(looks),
            running=running,
            forecast=told,
        )
        observations.append(observe_well(rule, facts, ()))
    return Replayed(course=course, observations=tuple(observations))


def replay_raw(course: Course, final_day: float) -> Replayed:
    """Baseline: the raw positive fraction itself. Score is its negative."""
    return Replayed(
        course=course,
        observations=tuple(
            _observe(sight.day, -sight.raw) for sight in course.sights if sight.day < final_day
        ),
    )


def replay_line(course: Course, final_day: float) -> Replayed:
    """Baseline: a straight line through the newest estimates, read off on the final day.

    Score is the negative of what it reads there, kept within 0 to 1.
    """
    observations = []
    sights = [sight for sight in course.sights if sight.day < final_day]
    for count in range(2, len(sights) + 1):
        newest = sights[max(0, count - LINE_POINTS) : count]
        days = [sight.day for sight in newest]
        values = [sight.running.points[-1].efficiency for sight in newest]
        slope, level = np.polyfit(days, values, 1)
        end = float(np.clip(level + slope * final_day, 0, 1))
        observations.append(_observe(days[-1], -end))
    return Replayed(course=course, observations=tuple(observations))


def watch_baseline(replayed: Replayed, rule: AlertRule, threshold: float, from_day: float) -> Told:
    """Step a baseline: it speaks where its figure lies below a threshold, from a day on.

    It needs as many time points in a row as `rule`, cools down as long, and is as slow to take an
    alert back: only once its figure lies above the threshold by the rule's hysteresis.
    """
    limit = -threshold
    seen = [
        (each.day, (each.score > limit) - (each.score <= limit - rule.hysteresis))
        for each in replayed.observations
        if each.day is not None and each.score is not None and each.day >= from_day
    ]
    ever, since = _watch_signs(tuple(seen), rule.consecutive, rule.cooldown_h)
    course = replayed.course
    return Told(place=course.place, final=course.final, ever=ever, since_day=since)


def watch(replayed: Replayed, rule: AlertRule) -> Told:
    """Step a rule over a course and return what was told of it."""
    ever, since = _step_through(replayed.observations, rule)
    course = replayed.course
    return Told(place=course.place, final=course.final, ever=ever, since_day=since)


def either(told: Sequence[Told]) -> Told:
    """Return what several rules told of one well: whichever spoke first."""
    days = [each.since_day for each in told if each.since_day is not None]
    return replace(
        told[0],
        ever=any(each.ever for each in told),
        since_day=min(days) if days else None,
    )


def foretell(
    courses: Iterable[Course], table: Sequence[ForecastDay], final_day: float
) -> list[Foretold]:
    """Return every forecast that the daemon would have shown before the final day."""
    found = []
    for course in courses:
        for sight in course.sights:
            told = forecast(table, sight.running, final_day)
            if sight.day < final_day and isinstance(told, WellForecast):
                found.append(
                    Foretold(
                        run=course.run,
                        day=sight.day,
                        value=told.value,
                        low=told.low,
                        high=told.high,
                        final=course.final,
                    )
                )
    return found


@lru_cache(maxsize=100_000)
def _watch_signs(
    signs: tuple[tuple[float, int], ...], consecutive: int, cooldown_h: float
) -> tuple[bool, float | None]:
    """Step the core's state machine on what each day says: 1 bad, -1 clear, 0 neither.

    Hundreds of settings of a baseline come to few different series, so that each is stepped once.
    """
    rule = AlertRule(
        name="baseline",
        kind=RuleKind.WEAK_NOW,
        limit=0.5,
        hysteresis=0.9,
        consecutive=consecutive,
        cooldown_h=cooldown_h,
    )
    return _step_through([_observe(day, float(sign)) for day, sign in signs], rule)


def _step_through(
    observations: Iterable[Observation], rule: AlertRule
) -> tuple[bool, float | None]:
    """Return whether an alert was ever raised, and since when one stands at the end."""
    state = AlertState()
    ever, since = False, None
    for observation in observations:
        state, transition = step(state, rule, observation)
        if transition is None:
            continue
        if transition.change is Change.RAISED:
            ever, since = True, observation.day
        elif transition.change is Change.RESOLVED:
            since = None
    return ever, since


def _moments(course: Course, final_day: float) -> list[tuple[float, str]]:
    """(day, fault) of all time points before the final day, in order."""
    seen = [(sight.day, "") for sight in course.sights]
    return sorted(each for each in (*seen, *course.unfit) if each[0] < final_day)


def _observe(day: float, score: float) -> Observation:
    return Observation(at=_at(day), day=day, score=score)


def _at(day: float) -> datetime:
    return _START + timedelta(days=day)
