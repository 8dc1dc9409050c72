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
from typing import Final

from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.efficiency import ErrorRates
from scopewatch.core.imaging.model_card.held_out import ForecastDay
from scopewatch.monitoring.policy import RunPolicy
from scopewatch_training.forecasting.courses import Course, follow_wells, plan_of
from scopewatch_training.forecasting.early_warning.methods import RuleReplay, study_target
from scopewatch_training.forecasting.early_warning.plate_replay import PlateReplay
from scopewatch_training.forecasting.early_warning.results import Study
from scopewatch_training.forecasting.early_warning.wells import check_forecasts
from scopewatch_training.forecasting.forecast_table import fit_forecast
from scopewatch_training.forecasting.timelapse import Moment, Well

FEWEST_RUNS: Final = 3
"""One is held out, and the table needs two."""


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
    plates = _replays(recorded, tables, final_day)
    studies = []
    for done, target in enumerate(plan.targets, start=1):
        aimed = [replace(rule, target=target, critical_limit=None) for rule in plan.rules]
        replay = RuleReplay(plates=plates, finals=recorded.finals, rules=aimed)
        studies.append(study_target(replay, courses, final_day=final_day, rates=plan.rates))
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


def _table_without(courses: Sequence[Course], run: str) -> tuple[ForecastDay, ...]:
    return fit_forecast([day for each in courses if each.run != run for day in each.days()])


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
