"""A plate as a picture: each well coloured by what it is expected to reach, or reads now."""

import re
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.alerts.scope import place
from scopewatch.core.imaging.caption import INK, PAPER
from scopewatch.messages.canvas import Canvas, Colour, text_px
from scopewatch.messages.chart_data import PlateMap, PlateWell

# (rows, columns) of the plates that are sold: 6, 12, 24, 48, 96 and 384 wells.
FORMATS: Final = ((2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24))
CELL_PX: Final = {3: 190, 4: 160, 6: 120, 8: 96, 12: 72, 24: 44}
LEFT, RIGHT, TOP, BOTTOM = 44, 20, 92, 76
LARGE: Final = 22
SMALL: Final = 16
EMPTY: Final = (44, 48, 52)
# From far below the target (orange) to far above (blue), as on the dashboard.
BANDS: Final = (-0.25, -0.10, 0.0, 0.10, 0.25)
COLOURS: Final[tuple[Colour, ...]] = (
    (166, 54, 3),
    (230, 85, 13),
    (253, 174, 107),
    (158, 202, 225),
    (66, 146, 198),
    (33, 102, 172),
)
PLAIN: Final = (150, 160, 170)


def draw_plate(plate: PlateMap) -> NDArray[np.uint8]:
    """Draw a plate with its wells where they lie; other names are laid out in rows.

    A heavy frame marks a well with an alert, a dashed one a well without new frames; a value with
    an arrow is a forecast, one without what the well reads now.

    Returns
    -------
    (height, width, 3) uint8; the size follows from the plate's format.
    """
    columns, spots = _lay_out(plate)
    rows = max(row for row, _ in spots) + 1
    if columns in CELL_PX:
        rows = next(size[0] for size in FORMATS if size[1] == columns)
    cell = CELL_PX.get(columns, 96)
    width = max(LEFT + columns * cell + RIGHT, 620)
    canvas = Canvas(width, TOP + rows * cell + BOTTOM)
    if plate.simulated:
        canvas.badge("SIMULATED", LARGE)
    canvas.text((20, 14), _short(plate.plate, width - 220), LARGE)
    _head(canvas, rows, columns, cell, lettered=columns in CELL_PX)
    for row in range(rows):
        for column in range(columns):
            well = spots.get((row, column))
            _draw_well(canvas, well, plate.target, LEFT + column * cell, TOP + row * cell, cell)
    _legend(canvas, plate)
    return canvas.finish()


def colour_of(value: float, target: float | None) -> Colour:
    """Return the colour of an efficiency: without a target there is nothing to be below of."""
    if target is None:
        return PLAIN
    return COLOURS[sum(value - target >= edge - 1e-9 for edge in BANDS)]


def _lay_out(plate: PlateMap) -> tuple[int, dict[tuple[int, int], PlateWell]]:
    """Return the number of columns and the place of each well."""
    places = [place(well.well) for well in plate.wells]
    spots = {spot: well for spot, well in zip(places, plate.wells, strict=True) if spot}
    if len(spots) == len(plate.wells):
        rows = max(row for row, _ in spots) + 1
        columns = max(column for _, column in spots) + 1
        for size in FORMATS:
            if size[0] >= rows and size[1] >= columns:
                return size[1], spots
    across = 10
    return across, {divmod(index, across): well for index, well in enumerate(plate.wells)}


def _head(canvas: Canvas, rows: int, columns: int, cell: int, *, lettered: bool) -> None:
    if not lettered:
        return
    for column in range(columns):
        canvas.faint((LEFT + (column + 0.5) * cell, TOP - 6), str(column + 1), SMALL, "mb")
    for row in range(rows):
        letter = "ABCDEFGHIJKLMNOP"[row]
        canvas.faint((LEFT - 12, TOP + (row + 0.5) * cell), letter, SMALL, "rm")


def _draw_well(
    canvas: Canvas, well: PlateWell | None, target: float | None, left: int, top: int, cell: int
) -> None:
    right, bottom = left + cell - 5, top + cell - 5
    if well is None:
        canvas.box(left, top, right, bottom, edge=EMPTY)
        return
    colour = EMPTY
    if well.value is not None:
        colour = colour_of(well.value, None if well.neutral else target)
    canvas.box(left, top, right, bottom, colour)
    dark = sum(colour) < 320
    ink = INK if dark else PAPER
    if well.flagged:
        canvas.box(left, top, right, bottom, edge=(255, 255, 255), thick_px=4)
    if well.stale:
        corners = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
        for start, end in pairwise(corners):
            canvas.dashes(start, end, (255, 255, 255), 2)
    size = max(11, cell // 5)
    centre = (left + right) / 2
    if cell >= 60:
        name = _short(well.well, cell - 12, size)
        canvas.text((centre, top + cell * 0.28), name, size, ink, "mm")
    reading = "-" if well.value is None else f"{well.value:.0%}"
    if well.foretold and cell >= 60:
        reading = f"> {reading}"
    where = top + cell * (0.62 if cell >= 60 else 0.45)
    canvas.text((centre, where), reading, size, ink, "mm")


def _legend(canvas: Canvas, plate: PlateMap) -> None:
    top = canvas.height_px - BOTTOM + 14
    at = 20.0
    if plate.target is not None:
        for colour in COLOURS:
            canvas.box(at, top, at + 26, top + 16, colour)
            at += 28
        words = f"from 25 points below to 25 above the target of {plate.target:.0%}"
        canvas.faint((at + 8, top + 8), words, SMALL, "lm")
    notes = ["heavy frame: alert"] if any(well.flagged for well in plate.wells) else []
    notes += ["dashed: no new frame"] if any(well.stale for well in plate.wells) else []
    notes += ["> forecast for the final day"] if any(w.foretold for w in plate.wells) else []
    canvas.faint((20, top + 40), "; ".join(notes), SMALL, "lm")


def _short(name: str, within_px: float, size_px: int = LARGE) -> str:
    name = re.sub(r"\s+", " ", name)
    while len(name) > 4 and text_px(name, size_px) > within_px:
        name = f"{name[:-4]}..."
    return name
