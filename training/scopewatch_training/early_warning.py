"""The early-warning study: would a weak well have been named, how early, and at what price.

Each run is held out once. The forecast table is fitted anew on the others, and the run is replayed
through the rules that the daemon steps, as they are configured: what will end weak, and what is
weak already. The forecast rule alone stands beside them. Two baselines are replayed through the
same state machine: a threshold on the raw positive fraction, and a straight line through the newest
estimates. Each is tuned, on the very wells it is judged on, to the best it can do at a rate of
false alarms; what is said of the baselines is therefore rather too good than too bad.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any, Final

import numpy as np

from scopewatch.core.alert_rule import AlertRule
from scopewatch.core.card import ForecastDay
from scopewatch.core.errors import ConfigError, complaint
from scopewatch_training.courses import Course
from scopewatch_training.forecast_table import COVERAGE, fit_forecast
from scopewatch_training.replay import (
    Foretold,
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

DAEMON: Final = "scopewatch"
ALONE: Final = "its forecast rule alone"
RAW: Final = "raw fraction threshold"
LINE: Final = "linear extrapolation"
FEWEST_RUNS: Final = 3
"""One is held out, and the table needs two."""

_LIMITS: Final = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99)
_THRESHOLDS: Final = tuple(np.round(np.arange(0.02, 0.82, 0.02), 2).tolist())


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a method did on the wells of all runs, each held out.

    Parameters
    ----------
    share_caught
        Of the weak wells: for which an alert stood when the run ended. None without weak wells.
    median_lead_days, worst_lead_days
        From the alert to the final day, over the wells caught; None where there is none.
    mean_warning_days
        The same, averaged over all weak wells, missed ones with 0: one figure for both.
    false_alarms_per_run, false_alarms_per_plate
        Wells that did end at the target or above, of which an alert was ever raised.
    most_false_alarms
        In one run.
    lead_days
        Of each well caught, the shortest first.
    missed, false_alarms
        The wells, as `run/plate/well`.
    """

    weak_wells: int
    share_caught: float | None
    median_lead_days: float | None
    worst_lead_days: float | None
    mean_warning_days: float | None
    false_alarms_per_run: float
    false_alarms_per_plate: float
    most_false_alarms: int
    lead_days: tuple[float, ...]
    missed: tuple[str, ...]
    false_alarms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """A method at one setting: how it was set, and how it did."""

    setting: Mapping[str, float]
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStudy:
    """All methods for one target.

    Parameters
    ----------
    chosen
        The rules as they are configured.
    curve
        The rules with other limits of the forecast rule.
    others
        By name, each tuned to the false alarms of `chosen`: the baselines, and the forecast rule
        alone.
    tuned
        At each rate of false alarms per run: every method, tuned to it.
    """

    target: float
    chosen: OperatingPoint
    curve: tuple[OperatingPoint, ...]
    others: Mapping[str, OperatingPoint]
    tuned: Mapping[float, Mapping[str, OperatingPoint]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The whole study.

    Parameters
    ----------
    foretold
        Every forecast of a held-out run, beside the end.
    """

    runs: tuple[str, ...]
    wells: int
    final_day: float
    rules: tuple[AlertRule, ...]
    targets: tuple[TargetStudy, ...]
    foretold: tuple[Foretold, ...]

    @property
    def interval_coverage(self) -> float | None:
        """Share of the forecasts of held-out runs whose interval held the end."""
        return _share([each.held for each in self.foretold])

    def to_json(self) -> dict[str, Any]:
        """Return the study as JSON values; the figures of the first target stand on top."""
        first = self.targets[0]
        return {
            "target": first.target,
            **_outcome_json(first.chosen),
            "interval_coverage": self.interval_coverage,
            "nominal_coverage": COVERAGE,
            "baselines": {name: _outcome_json(first.others[name]) for name in (RAW, LINE)},
            "runs": list(self.runs),
            "wells": self.wells,
            "final_day": self.final_day,
            "rules": [
                {
                    "kind": rule.kind.value,
                    "limit": rule.raise_above,
                    "consecutive": rule.consecutive,
                    "hysteresis": rule.hysteresis,
                    "from_day": rule.from_day,
                }
                for rule in self.rules
            ],
            "targets": [_target_json(each) for each in self.targets],
            "coverage_by_day": [
                {
                    "day": day,
                    "coverage": _share([each.held for each in members]),
                    "mae_points": 100 * float(np.mean([abs(e.value - e.final) for e in members])),
                    "half_width_points": 50 * float(np.mean([e.high - e.low for e in members])),
                    "wells": len(members),
                }
                for day, members in _by_day(self.foretold).items()
            ],
            "coverage_by_run": {
                run: _share([each.held for each in self.foretold if each.run == run])
                for run in self.runs
            },
        }


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


def _outcome_json(point: OperatingPoint) -> dict[str, Any]:
    values = asdict(point.outcome)
    lists = {name: list(values.pop(name)) for name in ("lead_days", "missed", "false_alarms")}
    return {"setting": dict(point.setting), **values, **lists}


def _target_json(study: TargetStudy) -> dict[str, Any]:
    return {
        "target": study.target,
        "chosen": _outcome_json(study.chosen),
        "others": {name: _outcome_json(each) for name, each in study.others.items()},
        "curve": [_outcome_json(each) for each in study.curve],
        "at_false_alarms_per_run": [
            {
                "rate": rate,
                "methods": {name: _outcome_json(each) for name, each in methods.items()},
            }
            for rate, methods in study.tuned.items()
        ],
    }


def _by_day(foretold: Sequence[Foretold]) -> dict[float, list[Foretold]]:
    days: dict[float, list[Foretold]] = {}
    for each in sorted(foretold, key=lambda each: each.day):
        days.setdefault(each.day, []).append(each)
    return days


def _share(held: Sequence[bool]) -> float | None:
    return float(np.mean(held)) if held else None
