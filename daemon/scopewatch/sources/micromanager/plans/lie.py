"""How a plate lies on a stage: where A1 is, which way rows go, and by how much it is rotated.

A plate is rigid, and its wells are as far apart as its maker says: what was measured at corner
wells is fitted by a rotation and a shift alone (least squares, after Kabsch 1976), and must agree
with that distance. Two wells that are diagonal to each other also tell whether the stage's y falls
or grows from row to row, since plates lie along the axes of their stage, nearly.
"""

import cmath
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from scopewatch.config import PlateConfig
from scopewatch.core.errors import ConfigError, complaint

Well = tuple[int, int]  # row and column, from 0

# Of the distance of two wells: by eye a centre is found within half a millimetre or so.
MOST_STRETCH: Final = 0.01
# Of the axes of the stage, either way round.
MOST_ROTATION_DEG: Final = 10.0
# How far a centre may lie from where the others put it, as a share of the pitch.
MOST_OFF: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """How a plate lies on the stage.

    Parameters
    ----------
    a1_um
        x and y at the centre of A1.
    rotation_deg
        Anti-clockwise, as the stage counts.
    grows
        Whether the stage's y grows from row to row.
    step_um
        From well to well along a row, and along a column.
    """

    a1_um: complex
    rotation_deg: float
    grows: bool
    step_um: tuple[float, float]

    def centre_um(self, row: int, column: int) -> complex:
        """Return the centre of a well on the stage: x as real, y as imaginary part."""
        turn = cmath.exp(1j * math.radians(self.rotation_deg))
        return self.a1_um + turn * _on_plate((row, column), self.step_um, grows=self.grows)


def find_lie(plate: PlateConfig, centres: Mapping[Well, complex], where: str) -> Lie:
    """Return how a plate lies from the centres of some of its wells.

    Parameters
    ----------
    centres
        x and y on the stage in micrometres as a complex number.
    where
        For complaints.

    Raises
    ------
    ConfigError
        When the centres do not fit the plate, or do not tell which way rows go.
    """
    several = plate.size[0] > 1
    if len(centres) == 1:
        if plate.y_with_rows is None and several:
            raise _undecided(where)
        ((well, at),) = centres.items()
        grows = plate.y_with_rows == "grows"
        turned = Lie(
            a1_um=0j,
            rotation_deg=plate.rotation_deg or 0.0,
            grows=grows,
            step_um=plate.step_um,
        )
        return replace(turned, a1_um=at - turned.centre_um(*well))
    if plate.rotation_deg is not None:
        raise ConfigError(
            complaint(
                "rotation is given twice",
                where=where,
                got=f"rotation_deg, and the centres of {len(centres)} wells",
                do="leave rotation_deg out, or all centres but one",
            )
        )
    if plate.y_with_rows is not None:
        return _checked(_fitted(plate, centres, grows=plate.y_with_rows == "grows"), centres, where)
    rows, columns = ({well[axis] for well in centres} for axis in (0, 1))
    if several and (len(rows) == 1 or len(columns) == 1):
        raise _undecided(where)
    return _likelier(plate, centres, where)


def _likelier(plate: PlateConfig, centres: Mapping[Well, complex], where: str) -> Lie:
    """Return the fit that lies along the axes of the stage; refuse where neither or both do."""
    fits = []
    problem: ConfigError | None = None
    for grows in (False, True):
        try:
            fits.append(_checked(_fitted(plate, centres, grows=grows), centres, where))
        except ConfigError as error:
            problem = problem or error
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise _undecided(where)
    raise problem or _undecided(where)


def _fitted(plate: PlateConfig, centres: Mapping[Well, complex], *, grows: bool) -> Lie:
    on_plate = np.array([_on_plate(well, plate.step_um, grows=grows) for well in centres])
    on_stage = np.array(list(centres.values()))
    middle, centre = on_plate.mean(), on_stage.mean()
    turn = complex(np.sum(np.conj(on_plate - middle) * (on_stage - centre)))
    angle = cmath.phase(turn)
    return Lie(
        a1_um=complex(centre - cmath.exp(1j * angle) * middle),
        rotation_deg=math.degrees(angle),
        grows=grows,
        step_um=plate.step_um,
    )


def _checked(lie: Lie, centres: Mapping[Well, complex], where: str) -> Lie:
    """Return a fit that agrees with what was measured. Raises ConfigError."""
    _check_distances(lie, centres, where)
    off_um = max(abs(at - lie.centre_um(*well)) for well, at in centres.items())
    away = abs((lie.rotation_deg + 45) % 90 - 45)
    if off_um > MOST_OFF * min(lie.step_um) or away > MOST_ROTATION_DEG:
        raise ConfigError(
            complaint(
                "centres of wells do not fit a plate that lies along the axes of the stage",
                where=where,
                expected=f"a rotation of less than {MOST_ROTATION_DEG:g} degrees",
                got=f"{away:.1f} degrees, a well {off_um:.0f} um away from where it was measured",
                do="measure these wells again, correct y_with_rows; for a plate that does lie"
                " askew give the centre of A1 alone, and rotation_deg",
            )
        )
    return lie


def _check_distances(lie: Lie, centres: Mapping[Well, complex], where: str) -> None:
    wells = list(centres)
    for index, one in enumerate(wells):
        for other in wells[:index]:
            expected = abs(lie.centre_um(*one) - lie.centre_um(*other))
            got = abs(centres[one] - centres[other])
            if abs(got / expected - 1) > MOST_STRETCH:
                raise ConfigError(
                    complaint(
                        "two wells are not as far apart as on that plate",
                        where=where,
                        expected=f"{expected:.0f} um",
                        got=f"{got:.0f} um",
                        do="correct the type of the plate, its pitch_um, or the centres",
                    )
                )


def _on_plate(well: Well, step_um: tuple[float, float], *, grows: bool) -> complex:
    row, column = well
    return complex(column * step_um[0], row * step_um[1] * (1 if grows else -1))


def _undecided(where: str) -> ConfigError:
    return ConfigError(
        complaint(
            "it is not known whether the stage's y falls or grows from row A on",
            where=where,
            do="set y_with_rows to falls (as useq-schema counts) or to grows (as Micro-Manager's"
            " plate plug-in does), or give the centre of a corner well in another row and column",
        )
    )
