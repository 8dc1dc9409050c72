"""Small made-up pairs: round cells, dark in phase, some of them glowing in fluorescence."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from scipy import ndimage

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A made-up field: phase and fluorescence in counts, and where it truly glows."""

    phase: Plane
    fluorescence: Plane
    glowing: NDArray[np.bool_]


def make_field(
    seed: int,
    *,
    side: int = 256,
    cells: int = 60,
    share: float = 1.0,
    brightness: float = 1500.0,
    shift: tuple[float, float] = (0.0, 0.0),
    even_px: float | None = None,
) -> Field:
    """Scatter cells; `share` of them glow; the fluorescence is shifted by (dy, dx).

    With `even_px` cells fill the field at about that distance, as nuclei do.
    """
    rng = np.random.default_rng(seed)
    lattice = np.zeros((0, 2))
    if even_px is not None:
        steps = np.arange(even_px / 2, side, even_px)
        lattice = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
        cells = len(lattice)
    rows, cols = np.mgrid[:side, :side]
    body = np.zeros((side, side), dtype=np.float32)
    glow = np.zeros_like(body)
    for index in range(cells):
        row, col = rng.uniform(0, side, 2)
        if even_px is not None:
            row, col = lattice[index] + rng.normal(0, even_px / 8, 2)
        radius = rng.uniform(3, 5)
        near = slice(max(int(row) - 6, 0), int(row) + 7), slice(max(int(col) - 6, 0), int(col) + 7)
        cell = np.hypot(rows[near] - row, cols[near] - col) < radius
        body[near][cell] = 1
        if index < share * cells:
            glow[near][cell] = rng.uniform(0.6, 1.4)
    halo = ndimage.gaussian_filter(body, 4) - ndimage.gaussian_filter(body, 2)
    lamp = 1 + 0.2 * (cols / side - 0.5)
    phase = 4000 * lamp * (1 - 0.3 * body + 0.4 * halo) + rng.normal(0, 60, body.shape)
    moved = ndimage.shift(ndimage.gaussian_filter(glow, 1.5), shift, order=3, mode="nearest")
    background = 120 + 40 * rows / side
    fluorescence = background + brightness * moved + rng.normal(0, 8, body.shape)
    return Field(
        phase=phase.astype(np.float32),
        fluorescence=fluorescence.astype(np.float32),
        glowing=glow > 0,
    )


def write_plane(path: Path, plane: Plane) -> None:
    """Write a plane as a 16-bit TIFF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, np.clip(plane, 0, 65535).astype(np.uint16))


def write_field(folder: Path, run: str, site: int, field: Field) -> dict[str, str]:
    """Write a field's two files; returns its row of a manifest."""
    names = {kind: f"{run}/{kind}{site}.tif" for kind in ("phase", "fluorescence")}
    write_plane(folder / names["phase"], field.phase)
    write_plane(folder / names["fluorescence"], field.fluorescence)
    return {
        "run": run, "plate": "P1", "well": f"A{site + 1}", "site": "0", "time_point": "0", **names,
    }  # fmt: skip


def write_manifest(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    """Write rows as a manifest."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_set(folder: Path, runs: Sequence[str], fields: int = 2) -> Path:
    """Write a manifest with a few fields of each run; returns its path."""
    rows = [
        write_field(folder, run, site, make_field(100 * index + site, shift=(1.5, -2.25)))
        for index, run in enumerate(runs)
        for site in range(fields)
    ]
    return write_manifest(folder / "manifest.csv", rows)
