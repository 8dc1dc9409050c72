"""Names of wells: `B3`, on a plate of a run."""

from dataclasses import dataclass, field
from typing import Final

from scopewatch.core.public_names import AS_EXPERIMENT

_LETTERS: Final = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class WellName:
    """Which well of which plate of which differentiation run."""

    run: str = field(metadata=AS_EXPERIMENT)
    plate: str
    well: str

    def __str__(self) -> str:
        return f"{self.run} / {self.plate} / {self.well}"


def well_at(row: int, column: int) -> str:
    """Return the well at a row and a column that count from 0.

    >>> well_at(1, 2), well_at(31, 47)
    ('B3', 'AF48')
    """
    return f"{row_name(row + 1)}{column + 1}"


def row_name(number: int) -> str:
    """Return the letters of a row; rows count from 1.

    >>> row_name(1), row_name(26), row_name(27)
    ('A', 'Z', 'AA')
    """
    second, first = divmod(number - 1, _LETTERS)
    return (chr(ord("A") + second - 1) if second else "") + chr(ord("A") + first)
