"""Which rule finds the plane in focus of simulated z-stacks, beside trivial choices.

    python benchmarks/sharpest_plane.py --seeds 1 2 3 --fields 20

Each stack has 5 to 9 planes 3, 5 or 10 um apart and the cells anywhere within it. Debris of 0 to
400 per mm2 floats about 8, 20 or 50 um above the cells; the field is of day 0.5 to day 10 (nearly
bare to confluent), the light 3 to 100 % of the usual. A choice holds when its plane is at
most one step farther from the cells than the nearest plane. Printed: the share that holds, the mean
and the worst excess in steps, and the share by density of debris, by day and by light.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scopewatch.core.imaging.frame import Pixels
from scopewatch.core.imaging.normalise import NormaliseSpec, normalise
from scopewatch.core.imaging.planes.texture import describe
from scopewatch.core.imaging.sharpest import sharpest_plane
from scopewatch_simulator.field import plan_culture
from scopewatch_simulator.focus_series import FloatingDebris, focus_series
from scopewatch_simulator.plan import SIMULATOR_VERSION, Regime, day_of, plan_run, plan_well

STACKS_PER_FIELD = 3
TIME_POINTS = (1, 4, 8, 14, 20)
DEBRIS_PER_MM2 = (0.0, 40.0, 150.0, 400.0)
LIGHT = (1.0, 0.3, 0.1, 0.03)

Measure = Callable[[Pixels], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A simulated stack: the distance of each plane from the cells, and what it was made with."""

    planes: list[Pixels]
    away_um: NDArray[np.float64]
    step_um: float
    debris_per_mm2: float
    day: float
    light: float


def laplacian(plane: Pixels) -> float:
    """Mean squared Laplacian of the frame, for a mean of 1."""
    view = plane.astype(np.float32) / np.float32(plane.mean())
    return float(np.mean(ndimage.laplace(view) ** 2))


def brenner(plane: Pixels) -> float:
    """Mean squared difference at a distance of two pixels, for a mean of 1."""
    view = plane.astype(np.float32) / np.float32(plane.mean())
    return float(np.mean((view[2:] - view[:-2]) ** 2) + np.mean((view[:, 2:] - view[:, :-2]) ** 2))


def focus(plane: Pixels) -> float:
    """Measure `focus` by which frames are refused as out of focus."""
    return describe(normalise(plane, NormaliseSpec()))["focus"]


MEASURES: dict[str, Measure] = {
    "Laplacian": laplacian,
    "Brenner": brenner,
    "measure `focus`": focus,
}


def simulate(seed: int, fields: int, size_px: int) -> Iterator[Stack]:
    """Yield simulated stacks; each field is of a run of its own."""
    rng = np.random.default_rng(seed)
    for number in range(fields):
        run = plan_run(seed, number)
        well = plan_well(seed, Regime.BROAD, run, int(rng.integers(12)))
        culture = plan_culture(seed, run, well, 0, size_px)
        for _ in range(STACKS_PER_FIELD):
            time_point = int(rng.choice(TIME_POINTS))
            step_um, planes = float(rng.choice((3, 5, 10))), int(rng.choice((5, 7, 9)))
            away_um = np.asarray(
                (np.arange(planes) - rng.uniform(-0.5, planes - 0.5)) * step_um, np.float64
            )
            per_mm2, height_um = float(rng.choice(DEBRIS_PER_MM2)), float(rng.choice((8, 20, 50)))
            light = float(rng.choice(LIGHT))
            series = focus_series(
                rng,
                run,
                culture,
                time_point,
                heights_um=[float(each) for each in away_um],
                debris=FloatingDebris(per_mm2=per_mm2, height_um=height_um) if per_mm2 else None,
                light=light,
            )
            yield Stack(
                planes=list(series),
                away_um=away_um,
                step_um=step_um,
                debris_per_mm2=per_mm2,
                day=day_of(time_point),
                light=light,
            )


def choices(stack: Stack) -> dict[str, int]:
    """Return the index of the plane that each rule chooses."""
    chosen = {"votes of blocks (the rule)": sharpest_plane(stack.planes, list(stack.away_um)).index}
    for name, measure in MEASURES.items():
        chosen[name] = int(np.argmax([measure(plane) for plane in stack.planes]))
    chosen["middle plane"] = len(stack.planes) // 2
    chosen["first plane"] = 0
    return chosen


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--fields", type=int, default=20)
    parser.add_argument("--size", type=int, default=320)
    asked = parser.parse_args()
    excess: dict[str, list[float]] = defaultdict(list)
    groups: list[tuple[float, float, float]] = []
    for seed in asked.seeds:
        for stack in simulate(seed, asked.fields, asked.size):
            away = np.abs(stack.away_um)
            for name, index in choices(stack).items():
                excess[name].append(float(away[index] - away.min()) / stack.step_um)
            groups.append((stack.debris_per_mm2, stack.day, stack.light))
    by = np.array(groups)
    print(f"simulated, simulator {SIMULATOR_VERSION}: {len(groups)} stacks, seeds {asked.seeds}")
    for name, values in excess.items():
        far = np.array(values)
        holds = far <= 1 + 1e-9
        line = (
            f"{name:28s} holds {holds.mean():.3f}  excess {far.mean():.2f}, worst {far.max():.1f}"
        )
        for title, column in (("debris", 0), ("day", 1), ("light", 2)):
            shares = (
                f"{value:g}: {holds[by[:, column] == value].mean():.2f}"
                for value in np.unique(by[:, column])
            )
            line += f"  {title} {', '.join(shares)}"
        print(line)


if __name__ == "__main__":
    main()
