"""A time-lapse on disk: its frames, and the table of them."""

import csv
from collections.abc import Iterable
from pathlib import Path

import tifffile

from scopewatch.core.imaging.frame import Pixels
from scopewatch_training.forecasting.timelapse import COLUMNS, Well


def write_timelapse(folder: Path, frames: Iterable[tuple[Well, int, Pixels]]) -> Path:
    """Write frames as (well, time point, pixels), two time points a day; return their table."""
    rows = []
    for number, (place, time_point, pixels) in enumerate(frames):
        name = f"frame{number}.tif"
        tifffile.imwrite(folder / name, pixels)
        rows.append((*place, 0, time_point, time_point / 2, name))
    table = folder / "timelapse.csv"
    with table.open("w", newline="") as stream:
        csv.writer(stream).writerows([COLUMNS, *rows])
    return table
