"""The early-warning study: how many weak wells the rules name, how early, at how many false alarms.

Each run is held out once. The forecast table is fitted on the others, and the run's plates are
replayed through the rules as they are configured, by the steps that the daemon takes. The forecast
rule alone is replayed for comparison. Two baselines go through the same state machine: a threshold
on the raw positive fraction, and a straight line through the newest estimates. Each is tuned, on
the very wells it is judged on, to the best it can do at a rate of false alarms: their figures are
too good rather than too bad.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median
from typing import Final

import numpy as np

from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.efficiency import ErrorRates
from scopewatch.core.imaging.model_card.held_out import ForecastDay
from scopewatch.monitoring.policy import RunPolicy
from scopewatch_training.forecasting.baseline_replay import (
    score_line,
    score_raw,
    watch_baseline,
)
from scopewatch_training.forecasting.courses import Course, follow_wells, plan_of
from scopewatch_training.forecasting.early_warning_results import (
    ALONE,
    DAEMON,
    LINE,
    RAW,
    OperatingPoint,
    Study,
    StudyOutcome,
    TargetStudy,
)
from scopewatch_training.forecasting.early_warning_wells import WellWarning, check_forecasts
from scopewatch_training.forecasting.forecast_table import fit_forecast
from scopewatch_training.forecasting.plate_replay import PlateReplay
from scopewatch_training.forecasting.timelapse import Moment, Well

FEWEST_RUNS: Final = 3
"""One is held out, and the table needs two."""

_LIMITS: Final = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99)
_THRESHOLDS: Final = tuple(np.round(np.arange(0.02, 0.82, 0.02), 2).tolist())


@dataclass(frozen=True, kw_only=True)
class RecordedRuns:
    """Time-lapses of runs, and what their wells came to.

    Parameters
    ----------
    moments
        Of all wells of a plate, those without a known end among them.
    finals
        Final efficiency of wells, 0 to 1.
    rates
        Error rates of the bundle's card.
    """

    moments: tuple[Moment, ...]
    finals: Mapping[Well, float]
    rates: ErrorRates | None

    @cached_property
    def plan(self) -> RunPolicy:
        """The plan that they were taken by."""
        return plan_of(self.moments, self.rates)

    @cached_property
    def courses(self) -> list[Course]:
        """The wells whose end is known."""
        return follow_wells(self.moments, self.finals, self.plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlan:
    """Rules, targets and rates that a study compares.

    Parameters
    ----------
    rules
        Those of wells and plates, the first of kind weak-forecast; their target gives way to those
        of `targets`.
    targets
        Efficiencies below which a well is weak, 0 to 1.
    rates
        False alarms per run at which all methods are compared besides.
    final_day
        Day of the end of the runs.
    """

    rules: tuple[AlertRule, ...]
    targets: tuple[float, ...]
    rates: tuple[float, ...]
    final_day: float


def study_warnings(
    recorded: RecordedRuns,
    plan: StudyPlan,
    progress: Callable[[int, int], None] | None = None,
) -> Study:
    """Replay every run with the table of the others, for some targets and false-alarm rates.

    Raises
    ------
    ConfigError
        With fewer than three runs, or no frame of a day before the end.
    """
    courses, final_day = recorded.courses, plan.final_day
    runs = tuple(sorted({course.run for course in courses}))
    if len(runs) < FEWEST_RUNS:
        raise ConfigError(
            complaint(
                "too few runs to replay one against the others",
                where="the time-lapse and its final efficiencies",
                expected=f"at least {FEWEST_RUNS} runs whose wells have both",
                got=", ".join(runs) or "none",
                do="add runs",
            )
        )
    _refuse_final_days_only(courses, final_day)
    tables = {run: _table_without(courses, run) for run in runs}
    forecasts = [
        each
        for run in runs
        for each in check_forecasts([c for c in courses if c.run == run], tables[run], final_day)
    ]
    replays = _replays(recorded, tables, final_day)
    studies = []
    for done, target in enumerate(plan.targets, start=1):
        aimed = [replace(rule, target=target, critical_limit=None) for rule in plan.rules]
        methods = _Methods(replays=replays, finals=recorded.finals, rules=aimed)
        studies.append(_study_target(methods, courses, plan))
        if progress is not None:
            progress(done, len(plan.targets))
    return Study(
        runs=runs,
        wells=len(courses),
        final_day=final_day,
        rules=plan.rules,
        targets=tuple(studies),
        forecasts=tuple(forecasts),
    )


def judge(wells: Sequence[WellWarning], target: float, final_day: float) -> StudyOutcome:
    """Count what was caught, how early, and what was false."""
    weak = [each for each in wells if each.final < target]
    false = [each for each in wells if each.final >= target and each.warned.ever]
    sinces = [each.warned.since_day for each in weak]
    leads = [final_day - since for since in sinces if since is not None]
    runs = {each.place[0] for each in wells}
    plates = {each.place[:2] for each in wells}
    in_run = [sum(each.place[0] == run for each in false) for run in runs]
    return StudyOutcome(
        weak_wells=len(weak),
        share_caught=len(leads) / len(weak) if weak else None,
        median_lead_days=median(leads) if leads else None,
        worst_lead_days=min(leads) if leads else None,
        mean_warning_days=sum(leads) / len(weak) if weak else None,
        false_alarms_per_run=len(false) / len(runs),
        false_alarms_per_plate=len(false) / len(plates),
        most_false_alarms=max(in_run),
        lead_days=tuple(sorted(leads)),
        missed=tuple("/".join(each.place) for each in weak if each.warned.since_day is None),
        false_alarms=tuple("/".join(each.place) for each in false),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Methods:
    """The plates of all runs, ready to be replayed under the rules of one target."""

    replays: Sequence[PlateReplay]
    finals: Mapping[Well, float]
    rules: Sequence[AlertRule]

    @property
    def first(self) -> AlertRule:
        """The forecast rule."""
        return self.rules[0]

    def warnings(self, limit: float, *, alone: bool) -> list[WellWarning]:
        """Replay all plates with a limit of the forecast rule, with that rule alone or with all."""
        first = replace(self.first, limit=limit)
        rules = (first,) if alone else (first, *self.rules[1:])
        found = []
        for replay in self.replays:
            for well, warned in sorted(replay.warnings(rules).items()):
                place = replay.run, replay.plate, well
                if place in self.finals:
                    found.append(WellWarning(place=place, final=self.finals[place], warned=warned))
        return found


def _replays(
    recorded: RecordedRuns, tables: Mapping[str, Sequence[ForecastDay]], final_day: float
) -> list[PlateReplay]:
    """Return the plates of all runs with a well whose end is known."""
    plates: dict[tuple[str, str], list[Moment]] = {}
    known = {place[:2] for place in recorded.finals}
    for moment in recorded.moments:
        if moment.place[:2] in known:
            plates.setdefault(moment.place[:2], []).append(moment)
    return [
        PlateReplay(
            members,
            replace(recorded.plan, run=run, forecast=tuple(tables[run]), final_day=final_day),
        )
        for (run, _), members in sorted(plates.items())
    ]


def _study_target(methods: _Methods, courses: Sequence[Course], plan: StudyPlan) -> TargetStudy:
    first, final_day = methods.first, plan.final_day

    def judged(setting: Mapping[str, float], wells: Sequence[WellWarning]) -> OperatingPoint:
        return OperatingPoint(setting=setting, outcome=judge(wells, first.target, final_day))

    # A second, graver message changes neither who was warned nor when, so critical limits are off.
    limits = sorted({*_LIMITS, first.raise_above})
    curve, alone = (
        [judged({"limit": limit}, methods.warnings(limit, alone=by_itself)) for limit in limits]
        for by_itself in (False, True)
    )
    chosen = next(each for each in curve if each.setting["limit"] == first.raise_above)
    by_method = {
        DAEMON: curve,
        ALONE: alone,
        **_baselines(courses, first, final_day, judged),
    }
    return TargetStudy(
        target=first.target,
        chosen=chosen,
        curve=tuple(curve),
        others={
            name: tune(points, chosen.outcome.false_alarms_per_run)
            for name, points in by_method.items()
            if name != DAEMON
        },
        tuned={
            rate: {name: tune(points, rate) for name, points in by_method.items()}
            for rate in plan.rates
        },
    )


def _baselines(
    courses: Sequence[Course],
    rule: AlertRule,
    final_day: float,
    judged: Callable[[Mapping[str, float], Sequence[WellWarning]], OperatingPoint],
) -> dict[str, list[OperatingPoint]]:
    """Return each baseline at every threshold and first day."""
    first = min((sight.day for each in courses for sight in each.sights), default=0.0)
    # At least one day to begin on, where the earliest frame is of the last day but not of its end.
    days = [*np.arange(np.ceil(first), final_day)] or [first]
    methods: dict[str, list[OperatingPoint]] = {}
    for name, score in ((RAW, score_raw), (LINE, score_line)):
        scored = [score(each, final_day) for each in courses]
        methods[name] = [
            judged(
                {"threshold": threshold, "from_day": float(day)},
                [watch_baseline(each, rule, threshold, float(day)) for each in scored],
            )
            for threshold in _THRESHOLDS
            for day in days
        ]
    return methods


def _refuse_final_days_only(courses: Sequence[Course], final_day: float) -> None:
    """Refuse a time-lapse without a judged frame before the final day: nothing could warn."""
    days = sorted({sight.day for each in courses for sight in each.sights})
    if not days or days[0] < final_day:
        return
    shown = f"day {days[0]:g}" if len(days) == 1 else f"days {days[0]:g} to {days[-1]:g}"
    raise ConfigError(
        complaint(
            "time-lapse has no frame of the days before the end",
            where="the time-lapse and its final efficiencies",
            expected=f"phase frames of days before day {final_day:g}, which could have warned",
            got=f"{shown} only",
            do="add the phase frames of earlier days to the table",
        )
    )


def tune(points: Sequence[OperatingPoint], rate: float) -> OperatingPoint:
    """Return the setting that warns earliest, all weak wells counted, within a false-alarm rate.

    Where no setting keeps within it, the one with the fewest false alarms.
    """
    fewest = min(each.outcome.false_alarms_per_run for each in points)
    within = max(rate, fewest) + 1e-9
    allowed = [each for each in points if each.outcome.false_alarms_per_run <= within]
    return max(allowed, key=lambda each: each.outcome.mean_warning_days or 0.0)


def _table_without(courses: Sequence[Course], run: str) -> tuple[ForecastDay, ...]:
    return fit_forecast([day for each in courses if each.run != run for day in each.days()])
