"""The plate view: the place, colour and flags of each well."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scopewatch.core.alerts.observation import Reading, Subject
from scopewatch.core.alerts.rules import RuleKind, Severity
from scopewatch.core.estimation.forecast import NoForecast, Silence, WellForecast
from scopewatch.core.well_name import WellName
from scopewatch.monitoring.expectation import NOTHING, Basis, Expectation, Standard
from scopewatch.monitoring.policy import STALE_TIME_POINTS
from scopewatch.store.read.records.alerts import AlertRow
from scopewatch.store.read.records.runs_and_wells import Flag, WellRow

WELL = re.compile(r"^([A-P])0*([1-9]\d?)$")

# (rows, columns) of the plates that are sold: 6, 12, 24, 48, 96 and 384 wells.
FORMATS = ((2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24))

# Points above (or below) what is expected at which the colour changes, from far below to far above.
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
    """One place of the plate; `row` is None where no frame of the well was ever seen.

    `flags` are its alerts, the gravest that nobody has answered first; `silence` is why there is no
    expectation yet.
    """

    label: str
    row: WellRow | None
    band: str = "empty"
    stale: bool = False
    flags: tuple[Flag, ...] = ()
    forecast: WellForecast | None = None
    silence: Silence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateView:
    """A plate with its cells in reading order.

    Parameters
    ----------
    seen
        How many wells had a frame; `wells` is the format it is drawn as.
    columns
        0 where well names are not letter and number: the cells then simply follow each other.
    bases
        What the colours of its wells follow from, each once.
    """

    run: str
    plate: str
    seen: int
    wells: int
    columns: int
    letters: tuple[str, ...]
    cells: tuple[Cell, ...]
    bases: frozenset[Basis]


def lay_out(
    rows: Sequence[WellRow], *, standard: Standard, now: datetime, staleness: Staleness
) -> list[PlateView]:
    """Group wells into plates, in the order in which the wells come."""
    plates: dict[tuple[str, str], list[WellRow]] = {}
    for row in rows:
        plates.setdefault((row.name.run, row.name.plate), []).append(row)
    return [
        _plate(run, plate, members, standard=standard, now=now, staleness=staleness)
        for (run, plate), members in plates.items()
    ]


def _plate(
    run: str,
    plate: str,
    rows: list[WellRow],
    *,
    standard: Standard,
    now: datetime,
    staleness: Staleness,
) -> PlateView:
    newest = max((row.time_point for row in rows if row.time_point is not None), default=0)
    bases: set[Basis] = set()

    def cell(label: str, row: WellRow | None) -> Cell:
        if row is None:
            return Cell(label=label, row=None)
        expected = expect(row, standard)
        if row.efficiency is not None:
            bases.add(expected.basis)
        foreseen = None if row.outlook is None else row.outlook.forecast
        return Cell(
            label=label,
            row=row,
            band="unknown" if row.efficiency is None else band(expected),
            stale=is_stale(row, newest, now, staleness),
            flags=by_gravity(row.flags, now),
            forecast=foreseen
            if isinstance(foreseen, WellForecast) and is_ahead(row, foreseen)
            else None,
            silence=foreseen.cause
            if expected is NOTHING and isinstance(foreseen, NoForecast)
            else None,
        )

    placed = {place(row.name.well): row for row in rows}
    size = None if None in placed or len(placed) < len(rows) else _format(placed)
    if size is None:
        cells = tuple(cell(row.name.well, row) for row in rows)
        letters: tuple[str, ...] = ()
        size = (0, 0)
    else:
        letters = tuple("ABCDEFGHIJKLMNOP"[: size[0]])
        cells = tuple(
            cell(f"{letter}{column + 1}", placed.get((index, column)))
            for index, letter in enumerate(letters)
            for column in range(size[1])
        )
    return PlateView(
        run=run,
        plate=plate,
        seen=len(rows),
        wells=size[0] * size[1] or len(rows),
        columns=size[1],
        letters=letters,
        cells=cells,
        bases=frozenset(bases),
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


def subject_of(name: WellName) -> Subject:
    """Return a well as rules name it."""
    return Subject(run=name.run, plate=name.plate, well=name.well)


def expect(row: WellRow, standard: Standard) -> Expectation:
    """Return what a well is measured against now."""
    if row.efficiency is None or row.day is None:
        return NOTHING
    seen, outlook = row.efficiency, row.outlook
    reading = Reading(value=seen.value, low=seen.low, high=seen.high)
    if outlook is not None:
        reading = Reading(value=outlook.now, low=outlook.low, high=outlook.high)
    return standard.expect(
        subject_of(row.name),
        day=row.day,
        now=reading,
        forecast=None if outlook is None else outlook.forecast,
    )


def is_ahead(row: WellRow, foreseen: WellForecast) -> bool:
    """Whether the day of a forecast is still to come."""
    return row.day is None or row.day < foreseen.final_day


def band(expected: Expectation) -> str:
    """Return the colour band of a well: `b0` (far below what is expected) to `b5` (far above).

    Without an expectation or a target there is nothing to compare with:
    `plain`.
    """
    if expected.value is None or expected.expected is None:
        return "plain"
    above = expected.value - expected.expected
    return f"b{sum(above >= edge - 1e-9 for edge in BANDS)}"


def is_stale(row: WellRow, newest: int, now: datetime, staleness: Staleness) -> bool:
    """Whether nothing of a well was judged lately, or it is behind the others of its plate."""
    if row.judged_at is None or row.time_point is None:
        return True
    silent = staleness.after is not None and now - row.judged_at > staleness.after
    return silent or newest - row.time_point >= staleness.behind


def answered(alert: Flag | AlertRow, now: datetime) -> bool:
    """Whether an alert is acknowledged or snoozed."""
    snoozed = alert.snoozed_until is not None and alert.snoozed_until > now
    return snoozed or alert.acknowledged_at is not None


def by_gravity(flags: Sequence[Flag], now: datetime) -> tuple[Flag, ...]:
    """Return flags in display order: unanswered, by severity, the well's own."""
    return tuple(
        sorted(
            flags,
            key=lambda flag: (
                answered(flag, now),
                GRAVEST_FIRST.index(flag.severity),
                flag.kind.of_a_plate,
                flag.kind is RuleKind.WEAK_FORECAST,
            ),
        )
    )
