"""The early-warning study: would a weak well have been named, how early, and at what price.

Each run is held out once. The forecast table is fitted anew on the others, and the run is replayed
through the rules that the daemon steps, as they are configured: what will end weak, and what is
weak already. The forecast rule alone stands beside them. Two baselines are replayed through the
same state machine: a threshold on the raw positive fraction, and a straight line through the newest
estimates. Each is tuned, on the very wells it is judged on, to the best it can do at a rate of
false alarms; what is said of the baselines is therefore rather too good than too bad.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Final

import numpy as np

from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.model_card import ForecastDay
from scopewatch_training.forecasting.courses import Course
from scopewatch_training.forecasting.early_warning_results import (
    ALONE,
    DAEMON,
    LINE,
    RAW,
    OperatingPoint,
    Outcome,
    Study,
    TargetStudy,
)
from scopewatch_training.forecasting.forecast_table import fit_forecast
from scopewatch_training.forecasting.replay import (
    Replayed,
    Told,
    either,
    foretell,
    replay_forecast,
    replay_line,
    replay_raw,
    watch,
    watch_baseline,
)

FEWEST_RUNS: Final = 3
"""One is held out, and the table needs two."""

_LIMITS: Final = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99)
_THRESHOLDS: Final = tuple(np.round(np.arange(0.02, 0.82, 0.02), 2).tolist())


def study_warnings(
    courses: Sequence[Course],
    rules: Sequence[AlertRule],
    targets: Sequence[float],
    rates: Sequence[float],
    final_day: float,
    progress: Callable[[int, int], None] | None = None,
) -> Study:
    """Replay every run with the table of the others, for some targets and false-alarm rates.

    Parameters
    ----------
    rules
        The first of kind weak-forecast; the target of each gives way to those of `targets`.
    rates
        False alarms per run at which all methods are compared besides.

    Raises
    ------
    ConfigError
        With fewer than three runs.
    """
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
    tables = {run: _table_without(courses, run) for run in runs}
    foretold = [
        each
        for run in runs
        for each in foretell([c for c in courses if c.run == run], tables[run], final_day)
    ]
    studies = []
    for done, target in enumerate(targets, start=1):
        aimed = [replace(rule, target=target, critical_limit=None) for rule in rules]
        studies.append(_study_target(courses, tables, aimed, rates, final_day))
        if progress is not None:
            progress(done, len(targets))
    return Study(
        runs=runs,
        wells=len(courses),
        final_day=final_day,
        rules=tuple(rules),
        targets=tuple(studies),
        foretold=tuple(foretold),
    )


def judge(told: Sequence[Told], target: float, final_day: float) -> Outcome:
    """Count what was caught, how early, and what was false."""
    weak = [each for each in told if each.final < target]
    false = [each for each in told if each.final >= target and each.ever]
    leads = [final_day - each.since_day for each in weak if each.since_day is not None]
    runs = {each.place[0] for each in told}
    plates = {each.place[:2] for each in told}
    in_run = [sum(each.place[0] == run for each in false) for run in runs]
    return Outcome(
        weak_wells=len(weak),
        share_caught=len(leads) / len(weak) if weak else None,
        median_lead_days=median(leads) if leads else None,
        worst_lead_days=min(leads) if leads else None,
        mean_warning_days=sum(leads) / len(weak) if weak else None,
        false_alarms_per_run=len(false) / len(runs),
        false_alarms_per_plate=len(false) / len(plates),
        most_false_alarms=max(in_run),
        lead_days=tuple(sorted(leads)),
        missed=tuple("/".join(each.place) for each in weak if each.since_day is None),
        false_alarms=tuple("/".join(each.place) for each in false),
    )


def _study_target(
    courses: Sequence[Course],
    tables: Mapping[str, Sequence[ForecastDay]],
    rules: Sequence[AlertRule],
    rates: Sequence[float],
    final_day: float,
) -> TargetStudy:
    first, rest = rules[0], rules[1:]
    target = first.target

    def replayed(rule: AlertRule) -> list[Replayed]:
        return [replay_forecast(each, tables[each.run], rule, final_day) for each in courses]

    def judged(setting: Mapping[str, float], told: Sequence[Told]) -> OperatingPoint:
        return OperatingPoint(setting=setting, outcome=judge(told, target, final_day))

    forecasts = replayed(first)
    beside = [[watch(each, rule) for each in replayed(rule)] for rule in rest]
    alone, curve = [], []
    # A second, graver message changes neither who was warned nor when, so critical limits are off.
    for limit in sorted({*_LIMITS, first.raise_above}):
        told = [watch(each, replace(first, limit=limit)) for each in forecasts]
        alone.append(judged({"limit": limit}, told))
        all_rules = [either(each) for each in zip(told, *beside, strict=True)]
        curve.append(judged({"limit": limit}, all_rules))
    chosen = next(each for each in curve if each.setting["limit"] == first.raise_above)
    methods = {
        DAEMON: curve,
        ALONE: alone,
        **_baselines(courses, first, final_day, judged),
    }
    return TargetStudy(
        target=target,
        chosen=chosen,
        curve=tuple(curve),
        others={
            name: tune(points, chosen.outcome.false_alarms_per_run)
            for name, points in methods.items()
            if name != DAEMON
        },
        tuned={
            rate: {name: tune(points, rate) for name, points in methods.items()} for rate in rates
        },
    )


def _baselines(
    courses: Sequence[Course],
    rule: AlertRule,
    final_day: float,
    judged: Callable[[Mapping[str, float], Sequence[Told]], OperatingPoint],
) -> dict[str, list[OperatingPoint]]:
    """Return each baseline at every threshold and first day."""
    first = min((sight.day for each in courses for sight in each.sights), default=0.0)
    methods: dict[str, list[OperatingPoint]] = {}
    for name, replay in ((RAW, replay_raw), (LINE, replay_line)):
        seen = [replay(each, final_day) for each in courses]
        methods[name] = [
            judged(
                {"threshold": threshold, "from_day": float(day)},
                [watch_baseline(each, rule, threshold, float(day)) for each in seen],
            )
            for threshold in _THRESHOLDS
            for day in np.arange(np.ceil(first), final_day)
        ]
    return methods


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
