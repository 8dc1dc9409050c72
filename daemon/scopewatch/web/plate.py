"""The plate as it lies under the microscope: which cell stands where, and what it shows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scopewatch.core.alert import Severity
from scopewatch.monitoring.policy import STALE_TIME_POINTS
from scopewatch.store.records import Flag, WellRow

WELL = re.compile(r"^([A-P])0*([1-9]\d?)$")

# (rows, columns) of the plates that are sold: 6, 12, 24, 48, 96 and 384 wells.
FORMATS = ((2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24))

# Points above (or below) the target at which the colour changes, from far below to far above.
BANDS = (-0.25, -0.10, 0.0, 0.10, 0.25)

GRAVEST_FIRST = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staleness:
    """When a well counts as left behind.

    Parameters
    ----------
    after
        A well without a judged frame for longer is stale; None once no more are due.
    behind
        A well that is this many time points behind its plate is stale, however recent.
    """

    after: timedelta | None
    behind: int = STALE_TIME_POINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One place of the plate; `row` is None where no frame of the well was ever seen."""

    label: str
    row: WellRow | None
    band: str
    stale: bool
    flag: Flag | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateView:
    """A plate with its cells in reading order.

    `columns` is 0 where well names are not letter and number: the cells then simply follow
    each other.
    """

    experiment: str
    plate: str
    wells: int
    columns: int
    letters: tuple[str, ...]
    cells: tuple[Cell, ...]


def lay_out(
    rows: Sequence[WellRow], *, target: float | None, now: datetime, staleness: Staleness
) -> list[PlateView]:
    """Group wells into plates, in the order in which the wells come."""
    plates: dict[tuple[str, str], list[WellRow]] = {}
    for row in rows:
        plates.setdefault((row.name.experiment, row.name.plate), []).append(row)
    return [
        _plate(experiment, plate, members, target=target, now=now, staleness=staleness)
        for (experiment, plate), members in plates.items()
    ]


def _plate(
    experiment: str,
    plate: str,
    rows: list[WellRow],
    *,
    target: float | None,
    now: datetime,
    staleness: Staleness,
) -> PlateView:
    newest = max((row.time_point for row in rows if row.time_point is not None), default=0)

    def cell(label: str, row: WellRow | None) -> Cell:
        if row is None:
            return Cell(label=label, row=None, band="empty", stale=False, flag=None)
        return Cell(
            label=label,
            row=row,
            band=band(row, target),
            stale=is_stale(row, newest, now, staleness),
            flag=gravest(row.flags),
        )

    placed = {place(row.name.well): row for row in rows}
    size = None if None in placed or len(placed) < len(rows) else _format(placed)
    if size is None:
        cells = tuple(cell(row.name.well, row) for row in rows)
        return PlateView(
            experiment=experiment,
            plate=plate,
            wells=len(rows),
            columns=0,
            letters=(),
            cells=cells,
        )
    letters = tuple("ABCDEFGHIJKLMNOP"[: size[0]])
    return PlateView(
        experiment=experiment,
        plate=plate,
        wells=size[0] * size[1],
        columns=size[1],
        letters=letters,
        cells=tuple(
            cell(f"{letter}{column + 1}", placed.get((index, column)))
            for index, letter in enumerate(letters)
            for column in range(size[1])
        ),
    )


def place(well: str) -> tuple[int, int] | None:
    """Return (row, column) from 0 of a well such as `B07`; None for any other name."""
    found = WELL.match(well)
    return (ord(found[1]) - ord("A"), int(found[2]) - 1) if found else None


def _format(placed: dict[tuple[int, int] | None, WellRow]) -> tuple[int, int] | None:
    """Return the smallest plate that has all these places."""
    places = [spot for spot in placed if spot is not None]
    rows = max(row for row, _ in places) + 1
    columns = max(column for _, column in places) + 1
    return next((size for size in FORMATS if size[0] >= rows and size[1] >= columns), None)


def band(row: WellRow, target: float | None) -> str:
    """Return the colour band of a well: `b0` (far below target) to `b5` (far above).

    Without a target there is nothing to be above or below of: `plain`.
    """
    if row.efficiency is None:
        return "unknown"
    if target is None:
        return "plain"
    return f"b{sum(row.efficiency.value - target >= edge - 1e-9 for edge in BANDS)}"


def is_stale(row: WellRow, newest: int, now: datetime, staleness: Staleness) -> bool:
    """Whether nothing of a well was judged lately, or it is behind the others of its plate."""
    if row.judged_at is None or row.time_point is None:
        return True
    silent = staleness.after is not None and now - row.judged_at > staleness.after
    return silent or newest - row.time_point >= staleness.behind


def gravest(flags: Sequence[Flag]) -> Flag | None:
    """Return the flag to show: one nobody has answered, the most severe, the well's own."""
    return min(
        flags,
        key=lambda flag: (
            flag.acknowledged_at is not None,
            GRAVEST_FIRST.index(flag.severity),
            flag.kind.of_a_plate,
        ),
        default=None,
    )
