"""The plate's layout, colours and staleness."""

from datetime import timedelta

import pytest

from scopewatch.core.alerts.rules import Severity
from scopewatch.monitoring.expectation import Standard
from scopewatch.store.read.records.runs_and_wells import WellRow
from scopewatch.web.plate import (
    Cell,
    PlateView,
    Staleness,
    band,
    by_gravity,
    expect,
    lay_out,
    place,
)
from tests.unit.web.fakes import FACTS, NOW, flag, named, well_row

STANDARD = FACTS.standard
STALENESS = Staleness(after=timedelta(hours=18))


def laid(*wells: str) -> PlateView:
    return laid_rows(*(well_row(well) for well in wells))


def laid_rows(*rows: WellRow) -> PlateView:
    (view,) = lay_out(rows, standard=STANDARD, now=NOW, staleness=STALENESS)
    return view


def cell_of(view: PlateView, label: str) -> Cell:
    return next(cell for cell in view.cells if cell.label == label)


@pytest.mark.parametrize(
    ("well", "size"),
    [("B3", 6), ("C4", 12), ("D6", 24), ("F8", 48), ("H12", 96), ("A7", 48), ("P24", 384)],
)
def test_a_plate_is_the_smallest_that_has_every_well_seen(well: str, size: int) -> None:
    view = laid("A1", well)
    assert view.wells == size
    assert len(view.cells) == size
    assert cell_of(view, well).row is not None
    assert sum(cell.row is not None for cell in view.cells) == 2


def test_cells_stand_in_the_order_of_the_plate() -> None:
    labels = [cell.label for cell in laid("B3", "A1").cells]
    assert labels == ["A1", "A2", "A3", "B1", "B2", "B3"]


def test_zero_padded_wells_stand_where_plain_ones_do() -> None:
    row = cell_of(laid("A01", "B03"), "B3").row
    assert row is not None
    assert row.name.well == "B03"


@pytest.mark.parametrize("well", ["dish", "A0", "A100", "Q1", "1A", "P25"])
def test_wells_without_a_place_are_shown_one_after_the_other(well: str) -> None:
    view = laid("A1", well)
    assert view.columns == 0
    assert [cell.label for cell in view.cells] == ["A1", well]


def test_two_spellings_of_one_place_are_both_shown() -> None:
    assert [cell.label for cell in laid("A1", "A01").cells] == ["A1", "A01"]


def test_plates_and_runs_are_kept_apart_in_the_order_they_come() -> None:
    rows = [well_row("A1", name=named("A1", plate)) for plate in ("P2", "P1")]
    views = lay_out(rows, standard=STANDARD, now=NOW, staleness=STALENESS)
    assert [view.plate for view in views] == ["P2", "P1"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "b0"), (0.24, "b0"), (0.25, "b1"), (0.39, "b1"), (0.4, "b2"), (0.49, "b2"),
        (0.5, "b3"), (0.59, "b3"), (0.6, "b4"), (0.74, "b4"), (0.75, "b5"), (1.0, "b5"),
    ],
)  # fmt: skip
def test_colour_follows_the_distance_to_the_target(value: float, expected: str) -> None:
    assert band(expect(well_row("A1", value), STANDARD)) == expected


def test_without_a_target_no_well_is_coloured_good_or_bad() -> None:
    assert band(expect(well_row("A1", 0.01), Standard(final_day=10))) == "plain"


def test_a_well_without_a_score_has_no_colour_even_with_a_target() -> None:
    assert cell_of(laid_rows(well_row("A1", None)), "A1").band == "unknown"


def test_a_well_without_a_recent_frame_is_stale() -> None:
    old = well_row("A1", last_frame_at=NOW - timedelta(hours=18, seconds=1))
    just = well_row("A2", last_frame_at=NOW - timedelta(hours=18))
    (view,) = lay_out([old, just], standard=STANDARD, now=NOW, staleness=STALENESS)
    assert cell_of(view, "A1").stale
    assert not cell_of(view, "A2").stale


def test_a_well_two_time_points_behind_its_plate_is_stale_however_recent() -> None:
    rows = [well_row("A1", time_point=10), well_row("A2", time_point=11), well_row("A3")]
    (view,) = lay_out(rows, standard=STANDARD, now=NOW, staleness=STALENESS)
    assert [cell.stale for cell in view.cells[:3]] == [True, False, False]


def test_a_well_whose_frames_were_all_refused_is_stale() -> None:
    (view,) = lay_out(
        [well_row("A1", None, time_point=None)], standard=STANDARD, now=NOW, staleness=STALENESS
    )
    assert cell_of(view, "A1").stale


def test_flags_stand_by_gravity_and_those_that_are_answered_last() -> None:
    answered = flag(1, severity=Severity.CRITICAL, acknowledged_at=NOW)
    warning, critical = flag(2), flag(3, severity=Severity.CRITICAL)
    later = flag(4, severity=Severity.CRITICAL, snoozed_until=NOW + timedelta(hours=1))
    over = flag(5, severity=Severity.CRITICAL, snoozed_until=NOW)
    assert by_gravity((answered, warning, critical), NOW) == (critical, warning, answered)
    assert by_gravity((later, warning), NOW) == (warning, later)
    assert by_gravity((warning, over), NOW) == (over, warning)
    assert by_gravity((), NOW) == ()


def test_a_plate_is_called_by_the_wells_that_were_seen_not_by_its_format() -> None:
    view = laid("A1", "H12")
    assert view.seen == 2
    assert view.wells == 96


def test_place_reads_letter_and_number() -> None:
    assert place("C07") == (2, 6)
    assert place("c7") is None
