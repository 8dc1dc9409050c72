"""Rows of a table with more or fewer fields than its header has columns, in words."""

from collections.abc import Sequence
from typing import Final

from scopewatch_training.dataset.tables.spreadsheet import TableRow

SURPLUS_ADVICE: Final = (
    "remove what is beyond the last column; where a decimal comma or a comma in a name split it,"
    " put the field in quotes or save with semicolons"
)
_MOST_SHOWN: Final = 3
_MOST_LETTERS: Final = 20


def expect_fields(columns: Sequence[str]) -> str:
    """Return how many fields a row must have: `3 fields (run, well, phase)`."""
    return f"{len(columns)} fields ({', '.join(columns)})"


def describe_surplus(row: TableRow) -> str:
    """Return what a row has beyond its columns: `2 more: '3', '8'`."""
    shown = ", ".join(repr(each[:_MOST_LETTERS]) for each in row.surplus[:_MOST_SHOWN])
    more = ", ..." if len(row.surplus) > _MOST_SHOWN else ""
    return f"{len(row.surplus)} more: {shown}{more}"


def describe_missing(row: TableRow, columns: Sequence[str]) -> str:
    """Return which columns a row does not reach: `none for phase, fluorescence`."""
    return f"none for {', '.join(name for name in columns if name not in row.fields)}"
