"""Many pairs for little simulating: simulated fields, and the same turned and mirrored.

Every step of `prepare` costs the same on a turned picture, and no check takes it for a copy. Each
way to turn is a run of its own, with the wells of the first.
"""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import tifffile
from numpy.typing import NDArray

Turn = Callable[[NDArray[np.uint16]], NDArray[np.uint16]]

TURNS: Final[tuple[Turn, ...]] = (
    lambda plane: plane,
    np.fliplr,
    np.flipud,
    lambda plane: np.rot90(plane, 2),
    np.rot90,
    lambda plane: np.rot90(plane, 3),
    np.transpose,
    lambda plane: np.rot90(np.transpose(plane), 2),
)


def turn_pairs(manifest: Path, ways: int) -> Path:
    """Write the pairs of a manifest of one run turned in other ways; return the new manifest.

    Parameters
    ----------
    ways
        How many, the pairs as they are included: 1 to 8.
    """
    folder = manifest.parent
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    made = []
    for way, turn in enumerate(TURNS[:ways]):
        (folder / f"turned{way}").mkdir(exist_ok=True)
        for row in rows:
            names = {name: _turned(folder, row[name], way, turn) for name in _PICTURES}
            made.append({**row, **names, "run": f"turned{way}"})
    turned = folder / "turned.csv"
    with turned.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, made[0])
        writer.writeheader()
        writer.writerows(made)
    return turned


_PICTURES: Final = ("phase", "fluorescence")


def _turned(folder: Path, name: str, way: int, turn: Turn) -> str:
    """Write a picture turned, unless it stays as it is; return its name."""
    if way == 0:
        return name
    turned = f"turned{way}/{Path(name).name}"
    tifffile.imwrite(folder / turned, np.ascontiguousarray(turn(tifffile.imread(folder / name))))
    return turned
