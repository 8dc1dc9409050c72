"""Results of an early-warning study: by method, setting and target, and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from scopewatch.core.alerts.rules import AlertRule
from scopewatch_training.forecasting.early_warning.wells import CheckedForecast
from scopewatch_training.forecasting.forecast_table import COVERAGE

DAEMON: Final = "scopewatch"
ALONE: Final = "its forecast rule alone"
RAW: Final = "raw fraction threshold"
LINE: Final = "linear extrapolation"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOutcome:
    """Figures of a method on the wells of all runs, each held out.

    Parameters
    ----------
    share_caught
        Of the weak wells: those that an alert named as the run ended. None without weak wells.
    median_lead_days, worst_lead_days
        From the alert to the final day, over the wells caught; None where there is none.
    mean_warning_days
        The same, averaged over all weak wells, missed ones with 0: one figure for both.
    false_alarms_per_run, false_alarms_per_plate
        Wells that did end at the target or above, and that an alert ever named.
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
    """A method at one setting, with its outcome."""

    setting: Mapping[str, float]
    outcome: StudyOutcome


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
    forecasts
        Every forecast of a held-out run, beside the end.
    """

    runs: tuple[str, ...]
    wells: int
    final_day: float
    rules: tuple[AlertRule, ...]
    targets: tuple[TargetStudy, ...]
    forecasts: tuple[CheckedForecast, ...]

    @property
    def interval_coverage(self) -> float | None:
        """Share of the forecasts of held-out runs whose interval held the end."""
        return _share([each.held for each in self.forecasts])

    def to_json(self) -> dict[str, Any]:
        """Return the study as JSON values; the figures of the first target come first."""
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
                for day, members in _by_day(self.forecasts).items()
            ],
            "coverage_by_run": {
                run: _share([each.held for each in self.forecasts if each.run == run])
                for run in self.runs
            },
        }


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


def _by_day(forecasts: Sequence[CheckedForecast]) -> dict[float, list[CheckedForecast]]:
    days: dict[float, list[CheckedForecast]] = {}
    for each in sorted(forecasts, key=lambda each: each.day):
        days.setdefault(each.day, []).append(each)
    return days


def _share(held: Sequence[bool]) -> float | None:
    return float(np.mean(held)) if held else None
