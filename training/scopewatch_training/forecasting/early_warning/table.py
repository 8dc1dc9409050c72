"""The early-warning study as a table, for the console and for the report."""

from typing import Final

from rich.console import Console
from rich.table import Table

from scopewatch_training.forecasting.early_warning.results import (
    DAEMON,
    OperatingPoint,
    Study,
    TargetStudy,
)
from scopewatch_training.forecasting.forecast_table import COVERAGE

COLUMNS: Final = (
    "target",
    "at a rate of",
    "method",
    "setting",
    "caught",
    "median lead",
    "worst",
    "false alarms/run",
    "/plate",
    "most",
)


def list_rows(study: Study) -> list[tuple[str, ...]]:
    """Return the table of the study, one row for each target, rate and method."""
    rows = []
    for target in study.targets:
        chosen = {DAEMON: target.chosen, **target.others}
        rows += [_row(target, "as configured", name, point) for name, point in chosen.items()]
        for rate, methods in target.tuned.items():
            rows += [_row(target, f"{rate:g}", name, point) for name, point in methods.items()]
    return rows


def show_study(console: Console, study: Study) -> None:
    """Print the study: each method at each rate of false alarms, and the intervals."""
    table = Table(title=f"{study.wells} wells of {len(study.runs)} runs, each run held out once")
    for index, column in enumerate(COLUMNS):
        table.add_column(column, justify="left" if index in (2, 3) else "right")
    for cells in list_rows(study):
        table.add_row(*cells)
    console.print(table)
    coverage = study.interval_coverage
    if coverage is None:
        console.print("the forecast tables support no forecast before the final day")
    else:
        console.print(
            f"forecast intervals at nominal {COVERAGE:.0%} held the end in {coverage:.1%} of"
            f" {len(study.forecasts)} forecasts of held-out runs"
        )


def _row(target: TargetStudy, rate: str, name: str, point: OperatingPoint) -> tuple[str, ...]:
    outcome = point.outcome
    caught = "-"
    if outcome.share_caught is not None:
        caught = f"{outcome.share_caught:.1%} of {outcome.weak_wells}"
    return (
        f"{target.target:g}",
        rate,
        name,
        ", ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in point.setting.items()),
        caught,
        _days(outcome.median_lead_days),
        _days(outcome.worst_lead_days),
        f"{outcome.false_alarms_per_run:.2f}",
        f"{outcome.false_alarms_per_plate:.2f}",
        f"{outcome.most_false_alarms}",
    )


def _days(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} d"
