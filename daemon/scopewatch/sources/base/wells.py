"""Spelling and numbering of the wells of a plate."""

import re

from scopewatch.config.plates import PLATE_SIZES
from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.well_name import well_at

# Number of wells of a plate, and number of its columns.
PLATE_COLUMNS = {size.rows * size.columns: size.columns for size in PLATE_SIZES.values()}
# Rows A to Z and AA to AF, as on a plate of 1536 wells. `Z_1` is a plane, not a well.
_WELL = re.compile(
    r"((?:[A-P]|A[A-F]|[a-p])(?=[-_ ]?\d)|[Q-Z](?=\d))[-_ ]?0*([1-9]|[1-3]\d|4[0-8])"
)
_NUMBERED = re.compile(r"[Rr](\d\d)[-_ ]?[Cc](\d\d)")
_ROWS, _COLUMNS = 32, 48


def spell_well(well: str) -> str:
    """Return a well in the usual spelling; other names stay as they are.

    >>> spell_well("a01"), spell_well("A_1"), spell_well("r02c03"), spell_well("XY01")
    ('A1', 'A1', 'B3', 'XY01')
    """
    match = _WELL.fullmatch(well.strip())
    if match is not None:
        return f"{match[1].upper()}{int(match[2])}"
    match = _NUMBERED.fullmatch(well.strip())
    numbered = numbered_well(int(match[1]), int(match[2])) if match is not None else None
    return numbered or well.strip()


def is_well(text: str) -> bool:
    """Return whether a text is a well and nothing else.

    >>> is_well("b03"), is_well("fov0"), is_well("Pos1")
    (True, False, False)
    """
    return _WELL.fullmatch(text.strip()) is not None


def number_well(number: int, plate_wells: int) -> str:
    """Return the well with a number that counts from 1, row by row.

    >>> number_well(13, 96), number_well(1, 384)
    ('B1', 'A1')

    Raises
    ------
    FrameError
        When the plate has no such well.
    """
    columns = PLATE_COLUMNS.get(plate_wells, 0)
    if not 1 <= number <= plate_wells or not columns:
        raise FrameError(
            complaint(
                "well number lies outside the plate",
                where=f"well {number}",
                expected=f"1 to {plate_wells}",
                got=number,
                do="correct `plate_wells` of the source",
            )
        )
    return well_at(*divmod(number - 1, columns))


def numbered_well(row: int | None, column: int | None) -> str | None:
    """Return the well at a row and a column that count from 1; None where no plate has it.

    >>> numbered_well(2, 3), numbered_well(33, 1)
    ('B3', None)
    """
    if row is None or column is None or not (1 <= row <= _ROWS and 1 <= column <= _COLUMNS):
        return None
    return well_at(row - 1, column - 1)
