"""A nuclear stain of simulated fields, as DAPI shows it: in every cell, whatever its kind.

    python benchmarks/nuclear_stain.py DIR --seed S

DIR is what `scopewatch simulate` wrote with that seed, regime broad. Beside each fluorescence
picture of the final day a `*_nuclei.tif` is written. Nuclei are where the simulator's phase frames
have them, round, with the light and noise of the marker's channel.
"""

import argparse
from pathlib import Path
from typing import Final

import numpy as np
import tifffile
from numpy.typing import NDArray
from scipy import ndimage

from scopewatch_simulator.cells import LOOKS, CellKind, Layer
from scopewatch_simulator.field import plan_culture
from scopewatch_simulator.noise import Purpose, stream
from scopewatch_simulator.optics import detect
from scopewatch_simulator.plan import FINAL_TIME_POINT, RunPlan, day_of, well_name
from scopewatch_simulator.simulation import Simulation
from scopewatch_training.dataset.manifest import read_manifest

_BLUR_PX: Final = 1.2
_SPREAD: Final = 0.25
"""Of the logarithm of the brightness from nucleus to nucleus."""


def stained_path(fluorescence: Path) -> Path:
    """Return the path of the nuclear stain beside a fluorescence picture."""
    return fluorescence.with_name(f"{fluorescence.stem}_nuclei.tif")


def stain_nuclei(simulation: Simulation, run: int, well: int) -> NDArray[np.uint16]:
    """Return the (H, W) uint16 picture of the nuclei of a field on the final day."""
    plan = simulation.run_plan(run)
    culture = plan_culture(
        simulation.seed, plan, simulation.well_plan(run, well), 0, simulation.size_px
    )
    rng = stream(simulation.seed, Purpose.MARKER, run, well, 0, 99)
    day = day_of(FINAL_TIME_POINT)
    switched = culture.switch_day <= day
    place = np.append(switched, False).take(culture.cardio.label)
    plane = np.where(
        place,
        _nuclei(culture.cardio, np.ones(culture.cardio.count, dtype=bool), plan, rng),
        _nuclei(culture.other, culture.other_arrival_day <= day, plan, rng),
    )
    glow = culture.crop(ndimage.gaussian_filter(plane, _BLUR_PX))
    electrons = glow * np.float32(plan.marker_e) + np.float32(plan.marker_background_e)
    return detect(rng, electrons.astype(np.float32), gain=2.0, offset=200.0, read_noise_e=6.0)


def _nuclei(
    layer: Layer, there: NDArray[np.bool_], plan: RunPlan, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw round nuclei of the size that the cells' kinds have; (H, W), about 1 within."""
    plane = np.zeros(layer.label.shape, dtype=np.float32)
    bright = rng.lognormal(0, _SPREAD, layer.count)
    for index in np.flatnonzero(there):
        look = LOOKS[CellKind(int(layer.kind[index]))]
        radius = look.nucleus * look.radius_px * plan.cell_scale
        y, x, reach = float(layer.y[index]), float(layer.x[index]), int(radius) + 2
        rows, cols = (slice(max(int(at) - reach, 0), int(at) + reach + 1) for at in (y, x))
        yy, xx = np.ogrid[
            rows.start : min(rows.stop, plane.shape[0]), cols.start : min(cols.stop, plane.shape[1])
        ]
        inside = (yy - y) ** 2 + (xx - x) ** 2 <= radius**2
        plane[rows, cols][inside] = bright[index]
    return plane


def main() -> None:
    """Write the stained pictures beside the others."""
    parser = argparse.ArgumentParser(description="A nuclear stain of simulated fields.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    call = parser.parse_args()
    rows = read_manifest(call.folder / "manifest.csv")
    size_px = tifffile.imread(rows[0].phase.path).shape[0]
    simulation = Simulation(seed=call.seed, size_px=size_px)
    numbers = {well_name(number): number for number in range(96)}
    for row in rows:
        picture = stain_nuclei(simulation, int(row.run.removeprefix("run")) - 1, numbers[row.well])
        tifffile.imwrite(stained_path(row.fluorescence.path), picture)


if __name__ == "__main__":
    main()
