"""Two simple methods of early warning, replayed through the state machine that rules step.

A method turns the course of a well into one score for each time point before the final day, and
warns where the score is too high. The wells of a plate are looked at one by one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Final

import numpy as np

from scopewatch.core.alerts.observation import Observation
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.alerts.state_machine import AlertState, Change, step
from scopewatch_training.forecasting.courses import Course
from scopewatch_training.forecasting.early_warning.plate_replay import START
from scopewatch_training.forecasting.early_warning.wells import Warned, WellWarning

LINE_POINTS: Final = 4
"""Newest time points that the linear extrapolation lays its line through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A course with the (day, score) that a method gives it, before the final day."""

    course: Course
    scores: tuple[tuple[float, float], ...]


def score_raw(course: Course, final_day: float) -> Scored:
    """Score time points by the raw positive fraction: its negative."""
    return Scored(
        course=course,
        scores=tuple((sight.day, -sight.raw) for sight in course.sights if sight.day < final_day),
    )


def score_line(course: Course, final_day: float) -> Scored:
    """Score time points by a straight line through the newest estimates.

    The score is the negative of what the line reaches on the final day, kept within 0 to 1.
    """
    scores = []
    sights = [sight for sight in course.sights if sight.day < final_day]
    for count in range(2, len(sights) + 1):
        newest = sights[max(0, count - LINE_POINTS) : count]
        days = [sight.day for sight in newest]
        values = [sight.running.points[-1].efficiency for sight in newest]
        slope, level = np.polyfit(days, values, 1)
        end = float(np.clip(level + slope * final_day, 0, 1))
        scores.append((days[-1], -end))
    return Scored(course=course, scores=tuple(scores))


def watch_baseline(
    scored: Scored, rule: AlertRule, threshold: float, from_day: float
) -> WellWarning:
    """Return when a method warns that takes a figure below a threshold for bad, from a day on.

    It needs as many time points in a row as `rule`, cools down as long, and is as slow to take an
    alert back: only once its figure lies above the threshold by the rule's hysteresis.
    """
    limit = -threshold
    signs = [
        (day, (score > limit) - (score <= limit - rule.hysteresis))
        for day, score in scored.scores
        if day >= from_day
    ]
    return WellWarning(
        place=scored.course.place,
        final=scored.course.final,
        warned=_watch_signs(tuple(signs), rule.consecutive, rule.cooldown_h),
    )


@lru_cache(maxsize=100_000)
def _watch_signs(
    signs: tuple[tuple[float, int], ...], consecutive: int, cooldown_h: float
) -> Warned:
    """Step the core's state machine over the sign of each day: 1 bad, -1 clear, 0 neither.

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
    return _step_through(
        (
            Observation(at=START + timedelta(days=day), day=day, score=float(sign))
            for day, sign in signs
        ),
        rule,
    )


def _step_through(observations: Iterable[Observation], rule: AlertRule) -> Warned:
    """Return whether an alert was ever raised, and since when one is open at the end."""
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
    return Warned(ever=ever, since_day=since)
