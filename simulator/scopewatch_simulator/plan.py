"""Plans of simulations: runs, wells and their time courses.

There are no images here. A run sets what differs between differentiations (timing, density, focus,
illumination, contrast); a well sets how far and how fast its cells become cardiomyocytes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ConfigError, complaint
from scopewatch_simulator.noise import Purpose, stream

SIMULATOR_VERSION = "1.0"
"""Version of the frames: raise it whenever they change; CHANGELOG has figures before and after."""

UM_PER_PX = 1.0
TILE_PX = 32
AREA_CUTOFF = 0.5
"""Share of cardiomyocyte area from which a tile is positive. Patches of cardiomyocytes span several
tiles, so that with half the share of tiles equals the share of area."""

INTERVAL_H = 12.0
FINAL_TIME_POINT = 20
PLATE = "P1"
PLATE_COLUMNS = 12
MAX_WELLS = 96
_START = datetime(2026, 1, 5, 9, tzinfo=UTC)
_RUN_SPACING = timedelta(days=14)
_GOLDEN = 0.6180339887498949


class Regime(StrEnum):
    """Range of final efficiencies of the simulated differentiations."""

    BROAD = "broad"
    SPARSE = "sparse"


class WellKind(StrEnum):
    """Class of a well on the final day."""

    STRONG = "strong"
    WEAK = "weak"
    FAILING = "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """Parameters that all wells of one run share.

    Parameters
    ----------
    shift_day
        How much later than usual the run turns.
    cell_scale
        Linear size of cells against the usual.
    phase_scale
        Optical thickness of cells against the usual.
    na, wavelength_um
        Of the objective and the light.
    ring_transmission
        Share of the intensity that the phase ring transmits, 0 to 1.
    ring_um
        Width of halo and shade-off: inverse of the angular width of the phase ring.
    defocus_um, defocus_drift_um, defocus_jitter_um
        Mean focus error, its change over the run, its scatter between frames.
    light_e
        Electrons per pixel of an empty field.
    vignetting, tilt, light_drift
        Loss at the corners, slope across the field, and how much both wander over the run.
    gap_fraction
        Share of the dish that stays free of cells.
    debris_per_mm2
        Floating dead cells.
    marker_e, marker_background_e, bleed_through
        Electrons of a typical positive cell, of the empty field, and the share of the marker's
        signal that every cell shows (autofluorescence and bleed-through).
    """

    index: int
    shift_day: float
    cell_scale: float
    phase_scale: float
    na: float
    wavelength_um: float
    ring_transmission: float
    ring_um: float
    defocus_um: float
    defocus_drift_um: float
    defocus_jitter_um: float
    light_e: float
    vignetting: float
    tilt: tuple[float, float]
    light_drift: float
    gap_fraction: float
    debris_per_mm2: float
    marker_e: float
    marker_background_e: float
    bleed_through: float

    @property
    def name(self) -> str:
        """Name of the run's folder."""
        return f"run{self.index + 1}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WellPlan:
    """The differentiation of one well.

    Parameters
    ----------
    final_efficiency
        Share of tiles that are to be positive on the final day, 0 to 1.
    half_day
        Day on which half of the cardiomyocytes have switched.
    spread_day
        Scale of the logistic course: a quarter to three quarters take 2.2 of it.
    patch_px
        Spacing of the random field whose peaks become patches of cardiomyocytes.
    """

    index: int
    final_efficiency: float
    half_day: float
    spread_day: float
    patch_px: float

    @property
    def name(self) -> str:
        """`A1` to `H12`, row by row."""
        return well_name(self.index)

    @property
    def kind(self) -> WellKind:
        """Strong from 50 %, failing below 20 %."""
        if self.final_efficiency >= 0.5:
            return WellKind.STRONG
        return WellKind.WEAK if self.final_efficiency >= 0.2 else WellKind.FAILING

    def switch_days(self, rank: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return on which day a cell switches, from its rank (0 first to 1 last) in the well.

        The inverse of a logistic course, cut so that every switch is over on the final day.
        """
        inside = np.clip(rank, 0.015, 0.985)
        day = self.half_day + self.spread_day * np.log(inside / (1 - inside))
        return np.asarray(np.clip(day, 4.2, 9.2), np.float32)


def plan_run(seed: int, run: int) -> RunPlan:
    """Draw one run from the seed."""
    rng = stream(seed, Purpose.RUN, run)
    sign = 1.0 if rng.random() < 0.5 else -1.0
    return RunPlan(
        index=run,
        shift_day=float(np.clip(rng.normal(0, 0.3), -0.6, 0.6)),
        cell_scale=float(rng.uniform(0.92, 1.12)),
        phase_scale=float(rng.uniform(0.8, 1.25)),
        na=float(rng.uniform(0.25, 0.3)),
        wavelength_um=0.55,
        ring_transmission=float(rng.uniform(0.15, 0.32)),
        ring_um=float(rng.uniform(18, 32)),
        defocus_um=sign * float(rng.uniform(0, 8)),
        defocus_drift_um=float(rng.normal(0, 2)),
        defocus_jitter_um=float(rng.uniform(0.3, 1.5)),
        light_e=float(rng.uniform(6_000, 16_000)),
        vignetting=float(rng.uniform(0.05, 0.25)),
        tilt=(float(rng.uniform(-0.12, 0.12)), float(rng.uniform(-0.12, 0.12))),
        light_drift=float(rng.uniform(0.03, 0.1)),
        gap_fraction=float(rng.uniform(0.01, 0.07)),
        debris_per_mm2=float(rng.uniform(15, 70)),
        marker_e=float(rng.uniform(1_400, 2_000)),
        marker_background_e=float(rng.uniform(150, 500)),
        bleed_through=float(rng.uniform(0.02, 0.06)),
    )


def plan_well(seed: int, regime: Regime, run: RunPlan, well: int) -> WellPlan:
    """Draw one well of a run from the seed.

    Final efficiencies follow the golden-ratio sequence from a random start in each run, so that
    few wells already cover the regime's range evenly and no well depends on how many there are.
    """
    rng = stream(seed, Purpose.WELL, run.index, well)
    start = stream(seed, Purpose.WELL, run.index, MAX_WELLS).random()
    u = float((start + well * _GOLDEN) % 1.0)
    final = 0.05 + 0.85 * u if regime is Regime.BROAD else _sparse_efficiency(u)
    own = float(np.clip(rng.normal(0, 0.3), -0.7, 0.7))
    return WellPlan(
        index=well,
        final_efficiency=final,
        half_day=5.8 + run.shift_day + own,
        spread_day=float(rng.uniform(0.35, 0.65)),
        patch_px=float(rng.uniform(170, 240)),
    )


def _sparse_efficiency(u: float) -> float:
    """Map u, even in 0 to 1, to 0.5 to 26 % with mean 9 %: many poor wells and a few fair ones."""
    return 0.005 + 0.255 * u * u


def well_name(index: int) -> str:
    """`A1` to `H12`, row by row, from the index of a well."""
    if not 0 <= index < MAX_WELLS:
        raise ConfigError(
            complaint(
                "no such well on a simulated plate",
                where=f"index {index}",
                expected=f"0 to {MAX_WELLS - 1}",
                do="simulate at most one 96-well plate per run",
            )
        )
    return f"{'ABCDEFGH'[index // PLATE_COLUMNS]}{index % PLATE_COLUMNS + 1}"


def day_of(time_point: int) -> float:
    """Day of differentiation of a time point."""
    return time_point * INTERVAL_H / 24


def acquired_at(run: int, time_point: int) -> datetime:
    """Return the simulated acquisition time of a frame, aware UTC."""
    return _START + run * _RUN_SPACING + timedelta(hours=INTERVAL_H * time_point)
