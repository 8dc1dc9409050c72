"""Observations of wells: one pure function per kind of rule.

Each takes a rule and facts and returns an `Observation` whose score is in the unit that
`AlertRule.limit` names; a score of None changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from statistics import median
from typing import Any, Final

from scopewatch.core.alerts.changes import Course
from scopewatch.core.alerts.observation import Evidence, Observation, Reading, Subject
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.alerts.scope import any_well
from scopewatch.core.estimation.forecast import NoForecast, WellForecast
from scopewatch.core.estimation.smoothing import RunningEstimate

FEWEST_REPLICATES: Final = 3
# Replicates that agree by chance must not turn a deviation of a point or two into an outlier.
LEAST_SPREAD: Final = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a well looked like at one time point, its sites averaged.

    Parameters
    ----------
    day
        Of the differentiation run.
    fault
        Why none of its frames could be judged (`core.faults.Fault`, or what the daemon
        stores); empty when one could.
    measures
        Of the judged frames (`FrameResult.verdict.measures`), averaged; empty when none was.
    positive
        Raw share of positive tiles, averaged, 0 to 1; None when no frame was judged.
    """

    day: float
    fault: str = ""
    measures: Mapping[str, float] = field(default_factory=dict)
    positive: float | None = None

    @property
    def seen(self) -> dict[str, float]:
        """The measures that may jump from one time point to the next."""
        return dict(self.measures) | ({} if self.positive is None else {"positive": self.positive})


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What rules remember of time points that are not read again.

    Parameters
    ----------
    in_a_row
        How many of the newest could not be judged.
    course
        The measures of those that could.
    """

    in_a_row: int = 0
    course: Course = field(default_factory=Course)

    def after(self, looks: Iterable[Look]) -> "Past":
        """Return the past with further time points, by day."""
        in_a_row, course = self.in_a_row, self.course
        for look in looks:
            in_a_row = in_a_row + 1 if look.fault else 0
            course = course if look.fault else course.after(look.seen)
        return Past(in_a_row=in_a_row, course=course)


# Rules of these kinds judge a time point by those before it.
REMEMBERING: Final = frozenset({RuleKind.UNFIT_FRAMES, RuleKind.SUDDEN_CHANGE})


@dataclass(frozen=True, kw_only=True)
class WellFacts:
    """The facts of a well once a time point of it is complete.

    Parameters
    ----------
    at
        When it became known, aware UTC.
    day
        Of the newest time point, judged or not.
    looks
        Its time points by day; the last one is the newest.
    past
        Of the time points before `looks`: those need not be all.
    running
        The running estimate; None before the first judged time point.
    forecast
        The forecast, or why there is none; None without a `running`.
    """

    subject: Subject
    at: datetime
    day: float
    looks: tuple[Look, ...]
    running: RunningEstimate | None
    forecast: WellForecast | NoForecast | None
    past: Past = Past()

    # Computed once: each well of a plate asks those of all others.
    @cached_property
    def well(self) -> str:
        """Name of the well."""
        return self.subject.well or ""

    @cached_property
    def remembered(self) -> Past:
        """The past once the newest time point is part of it."""
        return self.past.after(self.looks)

    @cached_property
    def judged(self) -> bool:
        """Whether the newest time point could be judged; else `running` is of an earlier one."""
        return self.running is not None and bool(self.looks) and not self.looks[-1].fault


def observe_well(rule: AlertRule, facts: WellFacts, plate: Sequence[WellFacts]) -> Observation:
    """Return the observation of a well for a rule of wells.

    Parameters
    ----------
    plate
        The same of all wells of its plate, itself among them.
    """
    if rule.kind is RuleKind.OUTLIER_WELL:
        return outlier_well(rule, facts, plate)
    return _CONDITIONS[rule.kind](rule, facts)


def weak_forecast(rule: AlertRule, facts: WellFacts) -> Observation:
    """Score: P(final efficiency < target); None where there is no forecast."""
    if not facts.judged or not isinstance(facts.forecast, WellForecast):
        return _observe(rule, facts, None)
    return _observe(rule, facts, facts.forecast.probability_below(rule.target))


def weak_now(rule: AlertRule, facts: WellFacts) -> Observation:
    """Score: target - efficiency of the newest time point, not smoothed."""
    if not facts.judged or facts.running is None:
        return _observe(rule, facts, None)
    return _observe(rule, facts, rule.target - facts.running.points[-1].efficiency)


def unfit_frames(rule: AlertRule, facts: WellFacts) -> Observation:
    """Score: 1 where no frame of the newest time point could be judged (dark, blurred), else 0.

    `measures` of the evidence: ``in_a_row``, how many time points it has been so.
    """
    if not facts.looks:
        return _observe(rule, facts, None)
    in_a_row = facts.remembered.in_a_row
    return _observe(
        rule,
        facts,
        float(in_a_row > 0),
        measures={"in_a_row": float(in_a_row)},
        detail=facts.looks[-1].fault,
    )


def sudden_change(rule: AlertRule, facts: WellFacts) -> Observation:
    """Score: size of the largest jump that has not gone back, 1 being just noticeable.

    See `core.alerts.changes`. The evidence's `cause` says what it looks like, its `measures` what
    jumped: ``<measure>_before`` and ``<measure>_after``.
    """
    if not facts.looks or facts.looks[-1].fault:
        return _observe(rule, facts, None)
    found = facts.remembered.course.largest()
    if found is None:
        return _observe(rule, facts, None)
    return _observe(
        rule,
        facts,
        found.size,
        cause=found.cause if rule.bad(found.size) else None,
        measures={f"{found.measure}_before": found.before, f"{found.measure}_after": found.after},
    )


def outlier_well(rule: AlertRule, facts: WellFacts, plate: Sequence[WellFacts]) -> Observation:
    """Score: how many robust spreads the well lies below the median of its replicates.

    None with fewer than three judged replicates. `measures` of the evidence: ``median`` and
    ``spread`` (1.4826 x median absolute deviation) of the replicates, and their ``count``.
    """
    group = replicates_of(rule, facts.well)
    if group is None or not facts.judged or facts.running is None:
        return _observe(rule, facts, None)
    others = [
        other.running.value
        for other in plate
        if other.well != facts.well
        and other.running is not None
        and other.judged
        and any_well(group, other.well)
    ]
    if len(others) < FEWEST_REPLICATES:
        return _observe(rule, facts, None)
    middle = median(others)
    deviation = median(abs(value - middle) for value in others)
    spread = max(1.4826 * deviation, LEAST_SPREAD)
    return _observe(
        rule,
        facts,
        (middle - facts.running.value) / spread,
        measures={"median": middle, "spread": spread, "count": float(len(others))},
    )


def replicates_of(rule: AlertRule, well: str) -> tuple[str, ...] | None:
    """Return the patterns of a well's group: () for the whole plate, None when it has none."""
    if not rule.replicates:
        return ()
    return next((group for group in rule.replicates if any_well(group, well)), None)


def well_evidence(rule: AlertRule, facts: WellFacts) -> Evidence:
    """Return the evidence of any observation of a well: now, forecast, target and trend."""
    running, foreseen = facts.running, facts.forecast
    now = forecast = final_day = probability = None
    if running is not None:
        now = Reading(value=running.value, low=running.low, high=running.high)
    if isinstance(foreseen, WellForecast):
        forecast = Reading(value=foreseen.value, low=foreseen.low, high=foreseen.high)
        final_day, probability = foreseen.final_day, foreseen.probability_below(rule.target)
    return Evidence(
        now=now,
        trend_per_day=None if running is None else running.trend_per_day,
        target=rule.target,
        forecast=forecast,
        final_day=final_day,
        probability=probability,
        cannot_forecast=foreseen.reason if isinstance(foreseen, NoForecast) else "",
        silence=foreseen.cause if isinstance(foreseen, NoForecast) else None,
        points=() if running is None else running.points,
    )


def _observe(
    rule: AlertRule, facts: WellFacts, score: float | None, **evidence: Any
) -> Observation:
    known = well_evidence(rule, facts)
    return Observation(
        at=facts.at,
        day=facts.day,
        score=score,
        evidence=replace(known, **evidence) if evidence else known,
    )


_CONDITIONS: Final[dict[RuleKind, Callable[[AlertRule, WellFacts], Observation]]] = {
    RuleKind.WEAK_FORECAST: weak_forecast,
    RuleKind.WEAK_NOW: weak_now,
    RuleKind.UNFIT_FRAMES: unfit_frames,
    RuleKind.SUDDEN_CHANGE: sudden_change,
}
