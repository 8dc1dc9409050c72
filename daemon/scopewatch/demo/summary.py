"""The demo's results compared with the simulated truth."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from rich.table import Table

from scopewatch.core.alerts.rules import RuleKind
from scopewatch.core.errors import StoreError, complaint
from scopewatch.demo.folder import TARGET
from scopewatch.store.read.records.alerts import AlertRow
from scopewatch.store.read.records.frames import Counts
from scopewatch.store.read.records.runs_and_wells import WellRow

WEAK = (RuleKind.WEAK_FORECAST, RuleKind.WEAK_NOW, RuleKind.PLATE_COLLAPSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class WellOutcome:
    """The last estimate of a well and its truth; all efficiencies as fractions, 0 to 1.

    Parameters
    ----------
    flagged
        Whether an alert is open on the final day.
    warned_on_day
        Day of the first alert that named the well as weak; None when none did.
    lead_days
        How long before the final day that was.
    forecast_then
        Forecast of the well on that day, where a forecast raised the alert.
    """

    well: str
    efficiency: float
    low: float
    high: float
    true_efficiency: float
    flagged: bool
    truly_weak: bool
    warned_on_day: float | None
    lead_days: float | None
    forecast_then: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSummary:
    """`summary.json`.

    Parameters
    ----------
    mae_points
        Mean absolute error of the wells in percentage points.
    weak_wells, weak_warned
        Wells that truly end weak, and how many of them an alert named in time.
    false_alarms
        Wells that an alert named although they do not end weak.
    median_lead_days
        Over the weak wells that were named; None when none was.
    """

    simulated: bool
    seed: int
    target: float
    frames_acquired: int
    frames_scored: int
    frames_quarantined: int
    wells: tuple[WellOutcome, ...]
    mae_points: float
    weak_wells: int
    weak_warned: int
    false_alarms: int
    median_lead_days: float | None


def summarise(
    *,
    seed: int,
    acquired: int,
    counts: Counts,
    wells: Sequence[WellRow],
    alerts: Sequence[AlertRow],
    final_day: float,
    truth: dict[str, float],
) -> DemoSummary:
    """Set the daemon's estimates and warnings beside the simulator's truth.

    Raises
    ------
    StoreError
        When a well has no estimate: then the demo failed, and no table may hide it.
    """
    estimated = {row.name.well: row for row in wells if row.efficiency is not None}
    missing = [well for well in truth if well not in estimated]
    if missing:
        raise StoreError(
            complaint(
                "wells without any estimate",
                where=", ".join(missing),
                expected=f"{len(truth)} wells",
                got=len(estimated),
                do="read daemon.log in the demo's folder",
            )
        )
    warnings = first_warnings(alerts)
    outcomes = tuple(
        _outcome(estimated[well], truth[well], warnings.get(well), final_day) for well in truth
    )
    leads = [
        outcome.lead_days
        for outcome in outcomes
        if outcome.truly_weak and outcome.lead_days is not None
    ]
    errors = [abs(outcome.efficiency - outcome.true_efficiency) for outcome in outcomes]
    return DemoSummary(
        simulated=True,
        seed=seed,
        target=TARGET,
        frames_acquired=acquired,
        frames_scored=counts.scored,
        frames_quarantined=counts.quarantined,
        wells=outcomes,
        mae_points=round(100 * sum(errors) / len(errors), 2),
        weak_wells=sum(outcome.truly_weak for outcome in outcomes),
        weak_warned=len(leads),
        false_alarms=sum(
            outcome.warned_on_day is not None and not outcome.truly_weak for outcome in outcomes
        ),
        median_lead_days=median(leads) if leads else None,
    )


def first_warnings(alerts: Sequence[AlertRow]) -> dict[str, AlertRow]:
    """Return the first alert that named each well as weak, by well; a plate's names many."""
    first: dict[str, AlertRow] = {}
    for alert in sorted(alerts, key=lambda alert: alert.alert):
        if alert.kind not in WEAK or alert.day is None:
            continue
        for well in (alert.subject.well,) if alert.subject.well else alert.evidence.wells:
            first.setdefault(well, alert)
    return first


def _outcome(
    row: WellRow, true_efficiency: float, warning: AlertRow | None, final_day: float
) -> WellOutcome:
    efficiency = row.efficiency
    assert efficiency is not None  # narrowed by the caller
    day = None if warning is None else warning.day
    forecast = None if warning is None else warning.evidence.forecast
    return WellOutcome(
        well=row.name.well,
        efficiency=round(efficiency.value, 4),
        low=round(efficiency.low, 4),
        high=round(efficiency.high, 4),
        true_efficiency=true_efficiency,
        flagged=bool(row.flags),
        truly_weak=true_efficiency < TARGET,
        warned_on_day=day,
        lead_days=None if day is None else round(final_day - day, 2),
        forecast_then=None if forecast is None else round(forecast.value, 4),
    )


def read_truth(path: Path) -> dict[str, float]:
    """Return the true final efficiency of each well."""
    with path.open(newline="", encoding="utf-8") as stream:
        return {row["well"]: float(row["true_efficiency"]) for row in csv.DictReader(stream)}


def write_summary(path: Path, summary: DemoSummary) -> None:
    """Write `summary.json`."""
    path.write_text(json.dumps(asdict(summary), indent=2) + "\n", encoding="utf-8")


def tabulate(summary: DemoSummary) -> Table:
    """Lay the wells out for the terminal."""
    lead = summary.median_lead_days
    ahead = "" if lead is None else f", {lead:.1f} days ahead (median)"
    alarms = (
        "1 false alarm" if summary.false_alarms == 1 else f"{summary.false_alarms} false alarms"
    )
    table = Table(
        title="Final day of a SIMULATED differentiation",
        caption=(
            f"{summary.frames_scored} of {summary.frames_acquired} frames scored,"
            f" {summary.frames_quarantined} quarantined;"
            f" mean absolute error {summary.mae_points:.1f} points."
            f" {summary.weak_warned} of {summary.weak_wells} wells that end below"
            f" {summary.target:.0%} were warned of{ahead}; {alarms}"
        ),
    )
    for heading in ("well", "estimate", "interval", "truth", "warned of", "lead", "expected then"):
        table.add_column(heading, justify="left" if heading == "well" else "right")
    for outcome in summary.wells:
        warned = outcome.warned_on_day is not None
        right = warned == outcome.truly_weak
        mark = f"day {outcome.warned_on_day:.1f}" if warned else "-"
        table.add_row(
            outcome.well,
            f"{outcome.efficiency:.0%}",
            f"{outcome.low:.0%} to {outcome.high:.0%}",
            f"{outcome.true_efficiency:.0%}",
            mark if right else f"{mark} (truly {'weak' if outcome.truly_weak else 'not weak'})",
            "" if outcome.lead_days is None else f"{outcome.lead_days:.1f} days",
            "" if outcome.forecast_then is None else f"{outcome.forecast_then:.0%}",
            style=None if right else "yellow",
        )
    return table
