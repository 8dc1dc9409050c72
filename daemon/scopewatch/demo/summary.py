"""What the demo found, beside the truth."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from scopewatch.core.errors import StoreError, complaint
from scopewatch.demo.folder import TARGET
from scopewatch.store.records import Counts, WellRow


@dataclass(frozen=True, slots=True, kw_only=True)
class WellOutcome:
    """The last estimate of a well and its truth; all efficiencies as fractions, 0 to 1."""

    well: str
    efficiency: float
    low: float
    high: float
    true_efficiency: float
    flagged: bool
    truly_weak: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSummary:
    """`summary.json`; `mae_points` is the mean absolute error of the wells in percentage points."""

    simulated: bool
    seed: int
    target: float
    frames_acquired: int
    frames_scored: int
    frames_quarantined: int
    wells: tuple[WellOutcome, ...]
    mae_points: float


def summarise(
    *, seed: int, acquired: int, counts: Counts, wells: Sequence[WellRow], truth: dict[str, float]
) -> DemoSummary:
    """Set the daemon's estimates beside the simulator's truth.

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
    outcomes = tuple(_outcome(estimated[well], truth[well]) for well in truth)
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
    )


def _outcome(row: WellRow, true_efficiency: float) -> WellOutcome:
    efficiency = row.efficiency
    assert efficiency is not None  # narrowed by the caller
    return WellOutcome(
        well=row.name.well,
        efficiency=round(efficiency.value, 4),
        low=round(efficiency.low, 4),
        high=round(efficiency.high, 4),
        true_efficiency=true_efficiency,
        flagged=bool(row.flags),
        truly_weak=true_efficiency < TARGET,
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
    table = Table(
        title="Final day of a SIMULATED differentiation",
        caption=(
            f"{summary.frames_scored} of {summary.frames_acquired} frames scored,"
            f" {summary.frames_quarantined} quarantined;"
            f" mean absolute error {summary.mae_points:.1f} points;"
            f" weak is below {summary.target:.0%},"
            " flagged while the interval reaches below it"
        ),
    )
    for heading in ("well", "estimate", "interval", "truth", "flagged"):
        table.add_column(heading, justify="left" if heading == "well" else "right")
    for outcome in summary.wells:
        right = outcome.flagged == outcome.truly_weak
        mark = "WEAK" if outcome.flagged else "-"
        table.add_row(
            outcome.well,
            f"{outcome.efficiency:.0%}",
            f"{outcome.low:.0%} to {outcome.high:.0%}",
            f"{outcome.true_efficiency:.0%}",
            mark if right else f"{mark} (truly {'weak' if outcome.truly_weak else 'not weak'})",
            style=None if right else "yellow",
        )
    return table
