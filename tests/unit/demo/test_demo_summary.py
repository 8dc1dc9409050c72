"""The demo's outcome beside the truth."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from scopewatch.core.alerts.observation import Evidence, Reading, Subject
from scopewatch.core.alerts.rules import RuleKind, Severity
from scopewatch.core.errors import StoreError
from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.core.well_name import WellName
from scopewatch.demo.summary import (
    DemoSummary,
    read_truth,
    summarise,
    tabulate,
    write_summary,
)
from scopewatch.store.read.records.alerts import AlertRow
from scopewatch.store.read.records.frames import Counts
from scopewatch.store.read.records.runs_and_wells import Flag, WellRow

WEAK = Flag(
    alert=1,
    rule="weak",
    kind=RuleKind.WEAK_NOW,
    severity=Severity.WARNING,
    target=0.5,
    acknowledged_at=None,
    snoozed_until=None,
)


def row(well: str, value: float | None, *, flagged: bool = False) -> WellRow:
    efficiency = None
    if value is not None:
        efficiency = Efficiency(value=value, low=value - 0.05, high=value + 0.05, corrected=True)
    return WellRow(
        name=WellName(run="demo", plate="plate", well=well),
        time_point=20,
        day=10.0,
        efficiency=efficiency,
        scored=21,
        quarantined=0,
        last_frame_at=None,
        flags=(WEAK,) if flagged else (),
    )


def warning(
    well: str | None, day: float, *, number: int = 1, wells: tuple[str, ...] = ()
) -> AlertRow:
    forecast = Reading(value=0.31, low=0.2, high=0.42)
    return AlertRow(
        alert=number,
        subject=Subject(run="demo", plate="plate", well=well),
        rule="will end weak",
        kind=RuleKind.WEAK_FORECAST if well else RuleKind.PLATE_COLLAPSE,
        severity=Severity.WARNING,
        raised_at=datetime(2026, 3, 1, tzinfo=UTC),
        escalated_at=None,
        resolved_at=None,
        day=day,
        evidence=Evidence(forecast=forecast if well else None, wells=wells),
        resolution=None,
        acknowledged_at=None,
        snoozed_until=None,
        postings=(),
    )


def summary_of(
    rows: list[WellRow], truth: dict[str, float], alerts: Sequence[AlertRow] = ()
) -> DemoSummary:
    counts = Counts(
        scored=42,
        quarantined=0,
        waiting=0,
        skipped=0,
        refused=0,
        last_frame_at=None,
        newest_day=10.0,
    )
    return summarise(
        seed=1,
        acquired=42,
        counts=counts,
        wells=rows,
        alerts=alerts,
        final_day=10.0,
        truth=truth,
    )


def test_the_error_is_the_mean_over_wells_in_points() -> None:
    summary = summary_of([row("A1", 0.50), row("A2", 0.20)], {"A1": 0.52, "A2": 0.16})

    assert summary.mae_points == pytest.approx(3.0)


def test_weak_is_decided_by_the_truth_and_flagged_by_the_daemon() -> None:
    summary = summary_of([row("A1", 0.4, flagged=True), row("A2", 0.6)], {"A1": 0.45, "A2": 0.49})

    assert [(w.flagged, w.truly_weak) for w in summary.wells] == [(True, True), (False, True)]


def test_a_warning_counts_from_the_first_alert_that_names_the_well() -> None:
    summary = summary_of(
        [row("A1", 0.2), row("A2", 0.3), row("A3", 0.7)],
        {"A1": 0.2, "A2": 0.3, "A3": 0.7},
        [
            warning(None, 8.0, number=3, wells=("A1", "A2")),
            warning("A1", 6.0, number=1),
            warning("A3", 7.0, number=2),
        ],
    )
    assert [(well.warned_on_day, well.lead_days, well.forecast_then) for well in summary.wells] == [
        (6.0, 4.0, 0.31),
        (8.0, 2.0, None),
        (7.0, 3.0, 0.31),
    ]
    assert (summary.weak_wells, summary.weak_warned, summary.false_alarms) == (2, 2, 1)
    assert summary.median_lead_days == 3.0


def test_a_well_without_an_estimate_fails_the_demo() -> None:
    with pytest.raises(StoreError, match="wells without any estimate: A2"):
        summary_of([row("A1", 0.5), row("A2", None)], {"A1": 0.5, "A2": 0.5})


def test_the_table_says_simulated_and_marks_what_went_wrong() -> None:
    summary = summary_of([row("A1", 0.6), row("A2", 0.2, flagged=True)], {"A1": 0.4, "A2": 0.2})
    console = Console(record=True, width=120)

    console.print(tabulate(summary))

    shown = console.export_text()
    assert "SIMULATED" in shown
    assert "- (truly weak)" in shown


def test_the_summary_is_written_as_json(tmp_path: Path) -> None:
    write_summary(tmp_path / "summary.json", summary_of([row("A1", 0.6)], {"A1": 0.55}))

    read = json.loads((tmp_path / "summary.json").read_text())

    assert read["simulated"] is True
    assert read["frames_acquired"] == read["frames_scored"] == 42
    assert read["wells"][0]["well"] == "A1"
    assert read["mae_points"] == 5.0


def test_the_truth_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("well,true_efficiency,simulator_version\nA1,0.25,1.0\n")

    assert read_truth(tmp_path / "truth.csv") == {"A1": 0.25}
