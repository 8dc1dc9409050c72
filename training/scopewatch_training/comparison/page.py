"""A comparison as a page and as a table for the console."""

from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Final

from scopewatch_training.comparison.compare import Comparison
from scopewatch_training.comparison.differences import Difference
from scopewatch_training.comparison.pictures import (
    NAMES,
    draw_field,
    draw_figures,
    most_different,
)
from scopewatch_training.dataset.page import Page, PagePicture, Row, Section, Table, write_page
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.network.metrics.bootstrap import Interval

COLUMNS: Final = ("", "A", "B", "B less A", "95 %, wells drawn", "95 %, runs drawn", "better")
TRIVIAL_COLUMNS: Final = ("tuned on these fields", "ROC AUC", "F1", "MAE", "bias", "r")
_IN_POINTS: Final = frozenset({"mae", "bias", "abs_bias", "raw_mae"})


def list_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return a row for each figure, in the order of `COLUMNS`."""
    return [_row(each) for each in comparison.differences]


def list_trivial(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return a row for each trivial method."""
    return [
        (
            each.name,
            _plain(each.roc_auc),
            _plain(each.f1),
            _plain(each.mae, 1),
            _plain(each.bias, 1),
            _plain(each.r),
        )
        for each in comparison.trivial
    ]


def write_comparison(
    folder: Path,
    comparison: Comparison,
    dataset: Dataset,
    cuts: Mapping[str, float],
    tile_px: int,
    now: datetime,
) -> Path:
    """Write the comparison as one self-contained page with its PNGs; returns the page's path.

    Raises
    ------
    ConfigError
        When the folder cannot be written.
    """
    mark = "simulated" if dataset.simulated else ""
    shown = most_different(comparison.fields)
    sections = [
        Section(
            title="Conclusion",
            text=(comparison.conclusion, *comparison.caveats),
            facts=(("A", comparison.names[0]), ("B", comparison.names[1])),
        ),
        Section(
            title="Paired differences",
            text=(
                "Both bundles scored the same fields. Each draw of the bootstrap takes the same"
                " wells for both; where there are several runs, they are drawn first. A bundle is"
                " called better only where both intervals exclude 0. MAE and bias are in"
                " percentage points of the efficiency.",
            ),
            tables=(
                Table(columns=COLUMNS, rows=tuple(Row(cells=row) for row in list_rows(comparison))),
                Table(
                    columns=TRIVIAL_COLUMNS,
                    rows=tuple(Row(cells=row, kind="base") for row in list_trivial(comparison)),
                ),
            ),
            pictures=(
                PagePicture(
                    name="differences",
                    alt="efficiencies of both bundles, and differences with their intervals",
                    png=draw_figures(comparison, mark),
                ),
            ),
        ),
        Section(
            title="Where they differ most",
            text=(
                "The fields with the most tiles that only one of the bundles calls positive."
                if shown
                else "Both bundles decide every tile alike.",
            ),
            pictures=tuple(
                PagePicture(
                    name=f"field_{number}",
                    alt=f"{each.first.id} as both bundles see it",
                    png=draw_field(each, dataset, cuts, tile_px, mark),
                )
                for number, each in enumerate(shown, start=1)
            ),
        ),
    ]
    page = Page(
        title="Two bundles on the same wells",
        subtitle=f"{dataset.marker}: {comparison.wells} wells of {', '.join(comparison.runs)}",
        simulated=dataset.simulated,
        sections=sections,
    )
    return write_page(folder, page, now)


def _row(each: Difference) -> tuple[str, ...]:
    digits = 1 if each.figure in _IN_POINTS else 3
    return (
        NAMES[each.figure],
        _plain(each.first, digits),
        _plain(each.second, digits),
        _signed(each.over_wells.value, digits),
        _span(each.over_wells, digits),
        "-" if each.over_runs is None else _span(each.over_runs, digits),
        ("not shown", "A", "B")[each.better],
    )


def _span(interval: Interval, digits: int) -> str:
    return f"{_signed(interval.low, digits)} to {_signed(interval.high, digits)}"


def _plain(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}" if isfinite(value) else "-"


def _signed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}" if isfinite(value) else "-"
