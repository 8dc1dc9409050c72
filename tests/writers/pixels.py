"""Simulated pixels for every frame of the plan, each unlike the others."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scopewatch_simulator.plan import FINAL_TIME_POINT
from scopewatch_simulator.simulation import Simulation
from tests.writers.plan import CHANNELS, Plan

SEED = 5


def simulate(plan: Plan) -> NDArray[np.uint16]:
    """Return (times, positions, channels, size_px, size_px): the differentiation, in few frames."""
    fields = plan.wells * plan.sites
    simulation = Simulation(seed=SEED, size_px=plan.size_px, cached_fields=fields)
    pixels = np.empty((plan.times, fields, len(CHANNELS), plan.size_px, plan.size_px), np.uint16)
    for position in range(fields):
        well, site = divmod(position, plan.sites)
        for index, day in enumerate(np.linspace(8, FINAL_TIME_POINT, plan.times).astype(int)):
            pixels[index, position, 0] = simulation.frame(0, well, site, int(day))
            pixels[index, position, 1] = simulation.marker_frame(0, well, site, int(day))
    return pixels


def save(plan: Plan, path: Path) -> NDArray[np.uint16]:
    """Write the pixels where an acquisition of the same plan finds them; return them."""
    pixels = simulate(plan)
    np.save(path, pixels)
    return pixels
