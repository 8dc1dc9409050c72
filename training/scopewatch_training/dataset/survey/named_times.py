"""Guesses the interval and the start of a run from the times in its file names."""

from collections.abc import Sequence
from datetime import datetime
from math import isclose
from typing import Final

from scopewatch.app.setup.guess import guess_interval_h
from scopewatch.core.errors import FrameError
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.layouts.naming import NamePattern

DEFAULT_INTERVAL_H: Final = 12.0
_FINER_H: Final = (8.0, 6.0, 4.0, 3.0, 2.0, 1.0, 0.5, 0.25)
_NEAR: Final = 0.25
"""How far from a time point a time may lie, in intervals."""


def read_names(pattern: str, names: Sequence[str]) -> list[PlaneFacts]:
    """Return what the names state; names that are not read are left out."""
    reader = NamePattern(pattern)
    facts = []
    for name in names:
        try:
            each = None if reader.never(name) is not None else reader.read(name)
        except FrameError:
            # Reported when the file itself is read.
            continue
        if each is not None:
            facts.append(each)
    return facts


def guess_start(facts: Sequence[PlaneFacts]) -> datetime | None:
    """Return the first time of day in names, in this machine's zone; None where they hold none."""
    times = [each.wall_time for each in facts if each.wall_time is not None]
    return min(times).astimezone() if times else None


def guess_interval(facts: Sequence[PlaneFacts]) -> float:
    """Return the hours between time points by the times in names; 12 where they hold none.

    Where no field has two times (the final day alone), the largest usual interval at whose
    multiples all times lie.
    """
    value = guess_interval_h(facts).value
    if isinstance(value, int | float) and value > 0:
        return float(value)
    hours = _hours(facts)
    return next(
        (each for each in (DEFAULT_INTERVAL_H, *_FINER_H) if _fits(hours, each)),
        DEFAULT_INTERVAL_H,
    )


def _hours(facts: Sequence[PlaneFacts]) -> list[float]:
    """Return the times in names in hours since the start."""
    start = min((each.wall_time for each in facts if each.wall_time is not None), default=None)
    seconds = []
    for each in facts:
        if each.elapsed_s is not None:
            seconds.append(each.elapsed_s)
        elif each.wall_time is not None and start is not None:
            seconds.append((each.wall_time - start).total_seconds())
    return [each / 3600 for each in seconds]


def _fits(hours: Sequence[float], interval_h: float) -> bool:
    steps = [each / interval_h for each in hours]
    return all(isclose(each, round(each), rel_tol=0, abs_tol=_NEAR) for each in steps)
