"""Which plates and wells a rule covers: names, shell patterns and ranges of wells."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from scopewatch.core.well_name import well_at

# Rows A to Z and AA to AF, columns 1 to 48: a plate of 1536 wells.
_ROW: Final = "(?:A[A-F]|[A-Z]|[a-p])"
_COLUMNS: Final = 48
_LETTERS: Final = 26
_WELL: Final = re.compile(rf"({_ROW})0*([1-9]\d?)")
_HYPHEN: Final = re.compile(rf"({_ROW}\d{{1,2}})\s*(?:-|\u2013|\.\.|to)\s*({_ROW}\d{{1,2}})")
_RANGE: Final = re.compile(rf"({_ROW}\d{{1,2}}):({_ROW}\d{{1,2}})")


def plain_well(text: str) -> str:
    """Return a well as frames name it, of what a person wrote; other names as they are.

    >>> plain_well(" b03 "), plain_well("Pos1")
    ('B3', 'Pos1')
    """
    name = text.strip()
    spot = place(name)
    return name if spot is None else well_at(*spot)


def any_match(patterns: Sequence[str], name: str) -> bool:
    """Return whether any shell pattern matches a name; no pattern means every name."""
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def any_well(patterns: Sequence[str], well: str) -> bool:
    """Return whether any pattern matches a well; no pattern means every well.

    A pattern is a well (``B3``), a shell pattern (``B*``), or a rectangle of the plate between
    two corners (``A1:B6`` is rows A and B, columns 1 to 6). ``B03`` and ``B3`` are one well.
    """
    return not patterns or any(_is_meant(pattern, well) for pattern in patterns)


def check_pattern(pattern: str) -> str:
    """Return what is wrong with a pattern of wells, in a few words; empty when nothing is."""
    pattern = pattern.strip()
    if not pattern:
        return "is empty"
    hyphen = _HYPHEN.fullmatch(pattern)
    if hyphen is not None:
        return f"is written {hyphen[1]}:{hyphen[2]}"
    parts = [part.strip() for part in re.split("[;,|]", pattern) if part.strip()]
    if len(parts) > 1:
        return f"is several: write a list, [{', '.join(parts)}]"
    return _check_range(pattern) if ":" in pattern else ""


def _check_range(pattern: str) -> str:
    corners = _RANGE.fullmatch(pattern)
    if corners is None:
        return "is no range of wells such as A1:B6"
    first, last = (place(corner) for corner in corners.groups())
    if first is None or last is None:
        return "names a well that no plate has"
    if first[0] > last[0] or first[1] > last[1]:
        return "runs backwards: give the upper left and the lower right well"
    return ""


@lru_cache(maxsize=4096)
def place(well: str) -> tuple[int, int] | None:
    """Return (row, column) of a well, from 0; None for a name that is no well of a plate.

    >>> place("B03"), place("AF48"), place("Pos0")
    ((1, 2), (31, 47), None)
    """
    found = _WELL.fullmatch(well.strip())
    if found is None or int(found[2]) > _COLUMNS:
        return None
    letters = found[1].upper()
    row = (len(letters) - 1) * _LETTERS + ord(letters[-1]) - ord("A")
    return row, int(found[2]) - 1


def well_order(well: str) -> tuple[int, int, str]:
    """Sort key: row by row in the order of the plate, other names at the end."""
    row, column = place(well) or (99, 99)
    return row, column, well


@lru_cache(maxsize=4096)
def _is_meant(pattern: str, well: str) -> bool:
    pattern = pattern.strip()
    where = place(well)
    corners = _RANGE.fullmatch(pattern)
    if corners is None:
        return fnmatchcase(well, pattern) or (where is not None and where == place(pattern))
    first, last = (place(corner) for corner in corners.groups())
    if where is None or first is None or last is None:
        return False
    return first[0] <= where[0] <= last[0] and first[1] <= where[1] <= last[1]
