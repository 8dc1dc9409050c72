"""Positions of the stage from a plate: the type, where A1 is, and the sites of each well.

Positions and labels (`A1_0000`) are those that useq-schema's WellPlatePlan gives for the same
plate; sites are offsets along the axes of the stage, whichever way the plate is rotated, so that
neighbouring fields of view join.
"""

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from scopewatch.config import PlateConfig, PositionConfig
from scopewatch.core.alerts.scope import any_well
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.well_name import well_at
from scopewatch.sources.base.wells import spell_well
from scopewatch.sources.micromanager.plans.imported import Imported
from scopewatch.sources.micromanager.plans.lie import Lie, Well, find_lie

_SQUARE: Final = ("384-well", "1536-well")
# z of three wells makes a plane; that of two leaves it to tilt.
_PLANE: Final = 3


def plate_positions(plate: PlateConfig, where: str) -> Imported:
    """Return the positions of a plate's wells and sites, in the order in which they are visited.

    Raises
    ------
    ConfigError
        When the plate does not lie as it was measured, or a site is outside its well.
    """
    offsets = _site_offsets(plate, where)
    measured = _measured(plate, where)
    lie = find_lie(plate, {well: complex(*at[:2]) for well, at in measured.items()}, where)
    z_of = _focus(measured, where)
    positions: list[PositionConfig] = []
    expected: dict[str, tuple[str, int]] = {}
    for well in _visited(plate, where):
        for site, offset in enumerate(offsets):
            at = lie.centre_um(*well) + (offset.conjugate() if lie.grows else offset)
            label = f"{well_at(*well)}_{site:04d}"
            z_um = z_of(well)
            positions.append(
                PositionConfig(
                    label=label,
                    x_um=round(at.real, 3),
                    y_um=round(at.imag, 3),
                    z_um=None if z_um is None else round(z_um, 3),
                )
            )
            expected[label] = (well_at(*well), site)
    return Imported(
        summary=_sum_up(plate, lie, len(offsets)),
        positions=tuple(positions),
        expected=MappingProxyType(expected),
    )


def _sum_up(plate: PlateConfig, lie: Lie, sites: int) -> str:
    rows, columns = plate.size
    named = plate.type or f"plate of {rows} x {columns} wells"
    way = "grows" if lie.grows else "falls"
    return (
        f"{named}, A1 at ({lie.a1_um.real:.1f}, {lie.a1_um.imag:.1f}) um, rotated by"
        f" {lie.rotation_deg:.2f} degrees, y {way} from row to row; {sites} sites in each well"
    )


def _site_offsets(plate: PlateConfig, where: str) -> list[complex]:
    """Return where the sites lie from the centre of a well: rows from above, there and back."""
    sites = plate.sites
    step_x, step_y = sites.step_um
    offsets = []
    for row in range(sites.rows):
        columns = range(sites.columns)
        for column in columns if row % 2 == 0 else reversed(columns):
            x = (column - (sites.columns - 1) / 2) * step_x
            y = ((sites.rows - 1) / 2 - row) * step_y
            offsets.append(complex(x, y))
    reach = max(_reach(offset, round_well=plate.type not in _SQUARE) for offset in offsets)
    if plate.well_um is not None and reach > plate.well_um / 2:
        raise ConfigError(
            complaint(
                "sites lie outside their well",
                where=f"{where}.sites",
                expected=f"at most {plate.well_um / 2:g} um from the centre of a well",
                got=f"{reach:.0f} um",
                do="set a smaller spacing_um, or fewer sites",
            )
        )
    return offsets


def _reach(offset: complex, *, round_well: bool) -> float:
    return abs(offset) if round_well else max(abs(offset.real), abs(offset.imag))


def _measured(plate: PlateConfig, where: str) -> dict[Well, tuple[float, ...]]:
    """Return the wells whose centre is known."""
    wells = {well_at(*well): well for well in _all_wells(plate)}
    measured: dict[Well, tuple[float, ...]] = {}
    for name, at in plate.centres_um.items():
        well = wells.get(spell_well(name))
        if well is None or well in measured:
            raise ConfigError(
                complaint(
                    "well is given twice" if well is not None else "plate has no such well",
                    where=f"{where}.centres_um",
                    expected=f"wells from A1 to {well_at(*(size - 1 for size in plate.size))}",
                    got=name,
                    do="correct the name of the well",
                )
            )
        measured[well] = at
    return measured


def _focus(measured: Mapping[Well, tuple[float, ...]], where: str) -> "_Focus":
    known = {well: at[2] for well, at in measured.items() if len(at) > 2}
    if not known:
        return _Focus(None)
    rows = np.array([(1.0, *well) for well in known])
    heights = np.array(list(known.values()))
    flat = len(known) == 1
    if len(known) < len(measured) or not (flat or np.linalg.matrix_rank(rows) == _PLANE):
        raise ConfigError(
            complaint(
                "z of the centres makes no plane",
                where=f"{where}.centres_um",
                expected="z of each of them: of one well, or of three that are not in a line",
                got=f"z of {len(known)} of {len(measured)}",
                do="give the other z as well, or none where a focus lock holds the focus",
            )
        )
    plane = np.array([heights[0], 0, 0]) if flat else np.linalg.lstsq(rows, heights, rcond=None)[0]
    return _Focus((float(plane[0]), float(plane[1]), float(plane[2])))


class _Focus:
    """z of each well: a plane over rows and columns, or none at all."""

    def __init__(self, plane: tuple[float, float, float] | None) -> None:
        self._plane = plane

    def __call__(self, well: Well) -> float | None:
        if self._plane is None:
            return None
        return math.fsum((self._plane[0], self._plane[1] * well[0], self._plane[2] * well[1]))


def _visited(plate: PlateConfig, where: str) -> Iterator[Well]:
    """Yield the wells that are visited, in order."""
    names = [well_at(*well) for well in _all_wells(plate)]
    for key, patterns in (("wells", plate.wells), ("skip", plate.skip)):
        for pattern in patterns:
            if not any(any_well((pattern,), name) for name in names):
                raise ConfigError(
                    complaint(
                        "pattern means no well of the plate",
                        where=f"{where}.{key}",
                        expected=f"wells from A1 to {names[-1]}",
                        got=pattern,
                        do="correct it, or leave it out",
                    )
                )
    left = 0
    for row in range(plate.size[0]):
        columns = [
            column
            for column in range(plate.size[1])
            if any_well(plate.wells, well_at(row, column))
            and not (plate.skip and any_well(plate.skip, well_at(row, column)))
        ]
        if not columns:
            continue
        back = plate.order == "snake" and left % 2 == 1
        left += 1
        yield from ((row, column) for column in (reversed(columns) if back else columns))
    if not left:
        raise ConfigError(
            complaint(
                "no well is left to visit",
                where=f"{where}.skip",
                do="leave fewer wells out",
            )
        )


def _all_wells(plate: PlateConfig) -> Iterator[Well]:
    rows, columns = plate.size
    return ((row, column) for row in range(rows) for column in range(columns))
