"""Wells and words for the tests of pages."""

from dataclasses import replace
from datetime import timedelta

from scopewatch.store.read.records.runs_and_wells import WellRow
from tests.unit.web.conftest import Dashboard
from tests.unit.web.fakes import (
    NOW,
    alert_row,
    flag,
    well_row,
)

A2 = "/wells/HES-NKX2.5%20run%204/P1/A2"


PAGES = ("/", A2, "/quarantine", "/alerts")


def two_wells(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [well_row("A1", 0.62), well_row("A2", 0.22, flags=(flag(),))]
    dashboard.reader.raised = [alert_row()]


def ended(row: WellRow) -> WellRow:
    """A well whose run came to its final day, some days ago."""
    at = NOW - timedelta(days=4)
    return replace(row, time_point=20, day=10.0, last_frame_at=at, judged_at=at)


def words_of(text: str) -> str:
    return " ".join(text.split())
