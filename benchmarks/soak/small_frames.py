"""Small frames for long runs: corners of a simulated field of view, written as a program does."""

from pathlib import Path
from typing import Final

import numpy as np
import tifffile

SIDE_PX: Final = 128
FIELD_PX: Final = 512


def write_corner(path: Path, field: np.ndarray, number: int) -> None:
    """Write a corner of a field (`FIELD_PX` wide and high) as a TIFF; another for each number.

    The file gets its name once it is complete.
    """
    most = FIELD_PX - SIDE_PX
    top, left = (37 * number) % most, (101 * number) % most
    begun = path.with_suffix(".part")
    tifffile.imwrite(
        begun,
        field[top : top + SIDE_PX, left : left + SIDE_PX],
        resolution=(1e4, 1e4),
        resolutionunit="CENTIMETER",
    )
    begun.rename(path)
