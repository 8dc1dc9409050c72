"""What the rules and the baselines warn of at each setting, and the best setting of each method.

A method is tuned on the very wells it is judged on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

import numpy as np

from scopewatch.core.alerts.rules import AlertRule
from scopewatch_training.forecasting.courses import Course
from scopewatch_training.forecasting.early_warning.baseline_replay import (
    score_line,
    score_raw,
    watch_baseline,
)
from scopewatch_training.forecasting.early_warning.plate_replay import PlateReplay
from scopewatch_training.forecasting.early_warning.results import (
    ALONE,
    DAEMON,
    LINE,
    RAW,
    OperatingPoint,
    StudyOutcome,
    TargetStudy,
)
from scopewatch_training.forecasting.early_warning.wells import WellWarning
from scopewatch_training.forecasting.timelapse import Well

_LIMITS: Final = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99)
_THRESHOLDS: Final = tuple(np.round(np.arange(0.02, 0.82, 0.02), 2).tolist())


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReplay:
    """The plates of all runs, ready to be replayed under the rules of one target.

    Parameters
    ----------
    finals
        Final efficiency of wells, 0 to 1.
    rules
        The forecast rule first.
    """

    plates: Sequence[PlateReplay]
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
        for plate in self.plates:
            for well, warned in sorted(plate.warnings(rules).items()):
                place = plate.run, plate.plate, well
                if place in self.finals:
                    found.append(WellWarning(place=place, final=self.finals[place], warned=warned))
        return found


def study_target(
    replay: RuleReplay, courses: Sequence[Course], *, final_day: float, rates: Sequence[float]
) -> TargetStudy:
    """Compare all methods for the target of the rules, at their own settings and at each rate."""
    first = replay.first

    def judged(setting: Mapping[str, float], wells: Sequence[WellWarning]) -> OperatingPoint:
        return OperatingPoint(setting=setting, outcome=judge(wells, first.target, final_day))

    # A second, graver message changes neither who was warned nor when, so critical limits are off.
    limits = sorted({*_LIMITS, first.raise_above})
    curve, alone = (
        [judged({"limit": limit}, replay.warnings(limit, alone=by_itself)) for limit in limits]
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
            rate: {name: tune(points, rate) for name, points in by_method.items()} for rate in rates
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


def tune(points: Sequence[OperatingPoint], rate: float) -> OperatingPoint:
    """Return the setting that warns earliest, all weak wells counted, within a false-alarm rate.

    Where no setting keeps within it, the one with the fewest false alarms.
    """
    fewest = min(each.outcome.false_alarms_per_run for each in points)
    within = max(rate, fewest) + 1e-9
    allowed = [each for each in points if each.outcome.false_alarms_per_run <= within]
    return max(allowed, key=lambda each: each.outcome.mean_warning_days or 0.0)
