"""Simulated runs: gives any frame, and the truth of any frame."""

from collections import OrderedDict
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ConfigError, complaint
from scopewatch_simulator.camera import fluoresce, photograph
from scopewatch_simulator.culture import Culture
from scopewatch_simulator.field import plan_culture
from scopewatch_simulator.plan import (
    FINAL_TIME_POINT,
    TILE_PX,
    Regime,
    RunPlan,
    WellPlan,
    day_of,
    plan_run,
    plan_well,
    well_name,
)
from scopewatch_simulator.truth import FrameTruth, truth_of

MIN_SIZE_PX, MAX_SIZE_PX = 2 * TILE_PX, 4096


class Simulation:
    """Simulated differentiation runs, deterministic by seed.

    Runs, wells, sites and time points are indices from 0. Frames may be rendered alone and in any
    order, always with the same result; threads may share a simulation.

    Parameters
    ----------
    cached_fields
        How many planned fields of view are kept; the least recently used is dropped. A field takes
        about 12 MB (512 x 512) and half a second; a frame of a kept field a few hundredths.

    Raises
    ------
    ConfigError
        For an impossible size or seed.
    """

    def __init__(
        self,
        *,
        seed: int,
        regime: Regime = Regime.BROAD,
        size_px: int = 512,
        cached_fields: int = 16,
    ) -> None:
        if not MIN_SIZE_PX <= size_px <= MAX_SIZE_PX:
            raise ConfigError(
                complaint(
                    "simulated frames cannot have this size",
                    where="size_px",
                    expected=f"{MIN_SIZE_PX} to {MAX_SIZE_PX}",
                    got=size_px,
                    do="choose a side within the range",
                )
            )
        if seed < 0:
            raise ConfigError(
                complaint(
                    "seed is negative",
                    where="seed",
                    expected=">= 0",
                    got=seed,
                    do="choose a whole number from 0 on",
                )
            )
        self.seed = seed
        self.regime = regime
        self.size_px = size_px
        self._cached_fields = max(1, cached_fields)
        self._fields: OrderedDict[tuple[int, int, int], Culture] = OrderedDict()
        self._lock = Lock()

    @property
    def planned_fields(self) -> tuple[tuple[int, int, int], ...]:
        """(run, well, site) of the fields that are kept, the least recently used first."""
        with self._lock:
            return tuple(self._fields)

    def run_plan(self, run: int) -> RunPlan:
        """Return what all wells of a run share."""
        _refuse_negative("run", run)
        return plan_run(self.seed, run)

    def well_plan(self, run: int, well: int) -> WellPlan:
        """Return the plan of one well."""
        well_name(well)
        return plan_well(self.seed, self.regime, self.run_plan(run), well)

    def prepare(self, run: int, well: int, site: int) -> None:
        """Plan a field now, so that its first frame is rendered as quickly as the others."""
        self._culture(run, well, site, 0)

    def frame(self, run: int, well: int, site: int, time_point: int) -> NDArray[np.uint16]:
        """Return the (size_px, size_px) uint16 phase-contrast frame."""
        culture = self._culture(run, well, site, time_point)
        return photograph(self.seed, self.run_plan(run), well, site, culture, time_point)

    def marker_frame(self, run: int, well: int, site: int, time_point: int) -> NDArray[np.uint16]:
        """Return the (size_px, size_px) uint16 fluorescence frame of the same moment."""
        culture = self._culture(run, well, site, time_point)
        return fluoresce(self.seed, self.run_plan(run), well, site, culture, time_point)

    def mask(self, run: int, well: int, site: int, time_point: int) -> NDArray[np.bool_]:
        """Return (size_px, size_px) bool: True where the frame shows cardiomyocytes."""
        culture = self._culture(run, well, site, time_point)
        return culture.crop(culture.cardiomyocytes(day_of(time_point))) >= 0.5

    def truth(self, run: int, well: int, site: int, time_point: int) -> FrameTruth:
        """Return the truth of a frame."""
        return truth_of(self.mask(run, well, site, time_point))

    def _culture(self, run: int, well: int, site: int, time_point: int) -> Culture:
        """Return the planned field, planning it on first use."""
        _refuse_negative("site", site)
        if not 0 <= time_point <= FINAL_TIME_POINT:
            raise ConfigError(
                complaint(
                    "no such time point in a simulated run",
                    where=f"time point {time_point}",
                    expected=f"0 to {FINAL_TIME_POINT}",
                    do="ask within the ten days",
                )
            )
        where = (run, well, site)
        plan = self.well_plan(run, well)
        with self._lock:
            if where in self._fields:
                self._fields.move_to_end(where)
                return self._fields[where]
            culture = plan_culture(self.seed, self.run_plan(run), plan, site, self.size_px)
            self._fields[where] = culture
            if len(self._fields) > self._cached_fields:
                self._fields.popitem(last=False)
            return culture


def _refuse_negative(name: str, index: int) -> None:
    if index < 0:
        raise ConfigError(
            complaint(
                f"{name} is negative", where=name, expected=">= 0", got=index, do="count from 0"
            )
        )
