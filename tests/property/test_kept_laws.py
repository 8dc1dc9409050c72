"""The kept state of a well gives the same as all of its time points."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log, sqrt
from statistics import median
from typing import Final

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scopewatch.core.alerts.changes import (
    FEWEST_BEFORE,
    MOST_BEFORE,
    SPREADS,
    SYMPTOMS,
    Course,
    Jump,
    Symptom,
    find_change,
)
from scopewatch.core.alerts.rules import RuleKind
from scopewatch.core.alerts.serialisation import pack_past, unpack_past
from scopewatch.core.alerts.wells import Look, Past
from scopewatch.core.estimation.smoothing import (
    FIRST_SLOPE,
    FRAME_NOISE,
    LEVEL_DRIFT,
    SLOPE_DRIFT,
    Z90,
    RunningEstimate,
    WellFilter,
    WellPoint,
    filter_points,
    smooth,
)

UNHURRIED: Final = settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
NAMES: Final = sorted({symptom.measure for symptom in SYMPTOMS})
# Round values often repeat, others never.
VALUES: Final = st.one_of(
    st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]), st.floats(0, 1.5, allow_subnormal=False)
)
HISTORIES: Final = st.lists(
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=len(NAMES)), max_size=30
)
POINTS: Final = st.lists(
    st.builds(
        WellPoint,
        day=st.floats(0, 12, allow_subnormal=False),
        efficiency=st.floats(0, 1),
        half_width=st.sampled_from([0.05, 0.06, 0.06, 0.3]) | st.floats(0, 1),
    ),
    min_size=1,
    max_size=30,
)


def look_back(history: Sequence[Mapping[str, float]]) -> Jump | None:
    """Return the largest jump by a direct search over all time points."""
    found = [jump for symptom in SYMPTOMS if (jump := _largest(symptom, history)) is not None]
    return max(found, key=lambda jump: jump.size, default=None)


def _largest(symptom: Symptom, history: Sequence[Mapping[str, float]]) -> Jump | None:
    seen = [look[symptom.measure] for look in history if symptom.measure in look]
    values = [
        symptom.direction * (log(max(value, 1e-6)) if symptom.relative else value) for value in seen
    ]
    best: Jump | None = None
    for index in range(FEWEST_BEFORE, len(values)):
        window = slice(max(0, index - MOST_BEFORE), index)
        middle = median(values[window])
        usual = 1.2533 * sum(abs(value - middle) for value in values[window])
        usual /= len(values[window])
        jump = max(min(values[index], values[-1]) - middle, 0.0)
        size = jump / max(symptom.least, SPREADS * usual)
        if best is None or size > best.size:
            before = median(seen[window])
            best = Jump(
                measure=symptom.measure,
                cause=symptom.cause,
                size=size,
                before=before,
                after=seen[-1],
            )
    return best


@UNHURRIED
@given(history=HISTORIES)
def test_a_course_finds_the_same_jump_as_a_search_over_all_time_points(
    history: list[dict[str, float]],
) -> None:
    course = Course()
    for count, measures in enumerate(history, start=1):
        course = course.after(measures)
        found, expected = course.largest(), look_back(history[:count])
        assert (found is None) == (expected is None)
        if found is None or expected is None:
            continue
        assert (found.size, found.measure, found.cause, found.after) == (
            expected.size,
            expected.measure,
            expected.cause,
            expected.after,
        )
        # Of two jumps that are equal to the last digit, either may be reported.
        assert found.before == pytest.approx(expected.before, abs=1e-9)
    assert course.largest() == find_change(history)


@settings(UNHURRIED, max_examples=20)
@given(levels=st.lists(VALUES, min_size=200, max_size=200))
def test_a_course_stays_short_however_long_a_well_is_watched(
    levels: list[float],
) -> None:
    course = Course()
    for level in levels:
        course = course.after(dict.fromkeys(NAMES, level))
    assert all(len(kept) <= 40 for kept in course.departures.values())
    assert all(len(recent) <= MOST_BEFORE for recent in course.recent.values())


@UNHURRIED
@given(
    looks=st.lists(
        st.builds(
            Look,
            day=st.just(1.0),
            fault=st.sampled_from(["", "", "blank"]),
            measures=st.dictionaries(st.sampled_from(NAMES), VALUES),
            positive=st.none() | VALUES,
        ),
        max_size=30,
    ),
    cut=st.integers(0, 30),
)
def test_a_kept_course_continues_the_same_after_it_was_stored_and_read(
    looks: list[Look], cut: int
) -> None:
    whole = Past().after(looks)
    before = Past().after(looks[:cut])
    for kind in (RuleKind.SUDDEN_CHANGE, RuleKind.UNFIT_FRAMES):
        kept = unpack_past(kind, pack_past(kind, before))
        assert kept is not None
        gone_on = kept.after(looks[cut:])
        if kind is RuleKind.SUDDEN_CHANGE:
            assert gone_on.course == whole.course
        else:
            assert gone_on.in_a_row == whole.in_a_row


def test_what_was_made_by_other_signs_is_made_again() -> None:
    packed = pack_past(RuleKind.SUDDEN_CHANGE, Past())
    assert unpack_past(RuleKind.SUDDEN_CHANGE, packed) == Past()
    assert unpack_past(RuleKind.SUDDEN_CHANGE, packed | {"made_by": 1}) is None


@UNHURRIED
@given(points=POINTS)
def test_a_continued_filter_equals_one_over_all_points(
    points: list[WellPoint],
) -> None:
    reached: WellFilter | None = None
    for count, point in enumerate(points, start=1):
        if reached is not None and reached.takes(point):
            reached = reached.after(point)
        else:
            reached = filter_points(points[:count])
        _same(reached.estimate(()), smooth(points[:count]))
    assert reached is not None
    if not reached.takes(early := WellPoint(day=-1, efficiency=0.5, half_width=0.5)):
        with pytest.raises(ValueError, match="filtered again"):
            reached.after(early)


def recursion(points: Sequence[WellPoint]) -> tuple[float, float, float, float]:
    """Return level, slope and their half widths by the textbook form of Kalman's recursion."""
    ordered = sorted(points, key=lambda point: point.day)
    shared = min(point.half_width for point in ordered)
    noise = [(point.half_width**2 - shared**2) / Z90**2 + FRAME_NOISE**2 for point in ordered]
    state = np.array([ordered[0].efficiency, 0.0])
    spread = np.diag([noise[0], FIRST_SLOPE**2])
    for (before, point), variance in zip(pairwise(ordered), noise[1:], strict=True):
        days = point.day - before.day
        move = np.array([[1.0, days], [0.0, 1.0]])
        drift = SLOPE_DRIFT**2 * np.array([[days**3 / 3, days**2 / 2], [days**2 / 2, days]])
        drift[0, 0] += LEVEL_DRIFT**2 * days
        state, spread = move @ state, move @ spread @ move.T + drift
        gain = spread[:, 0] / (spread[0, 0] + variance)
        keep = np.eye(2) - np.outer(gain, [1.0, 0.0])
        state = state + gain * (point.efficiency - state[0])
        spread = keep @ spread @ keep.T + variance * np.outer(gain, gain)
    half_widths = sqrt(shared**2 + Z90**2 * spread[0, 0]), Z90 * sqrt(spread[1, 1])
    return float(state[0]), half_widths[0], float(state[1]), half_widths[1]


@UNHURRIED
@given(points=POINTS)
def test_a_filter_is_kalmans_recursion(points: list[WellPoint]) -> None:
    reached, found = filter_points(points), smooth(points)
    level, half_width, slope, slope_half_width = recursion(points)
    assert reached.level == pytest.approx(level, rel=1e-9, abs=1e-9)
    value = min(max(level, 0), 1)
    assert (found.value, found.low, found.high) == pytest.approx(
        (value, max(value - half_width, 0), min(value + half_width, 1)), rel=1e-9, abs=1e-9
    )
    assert (found.trend_per_day, found.trend_half_width) == pytest.approx(
        (slope, slope_half_width), rel=1e-9, abs=1e-9
    )


def _same(one: RunningEstimate, other: RunningEstimate) -> None:
    for name in ("day", "value", "low", "high", "trend_per_day", "trend_half_width"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9, abs=1e-9)
