"""Renders frames of a culture: phase contrast and fluorescence."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scopewatch_simulator.culture import Culture
from scopewatch_simulator.noise import Purpose, smooth_field, stream
from scopewatch_simulator.optics import Pupil, detect, expose, illuminate
from scopewatch_simulator.plan import FINAL_TIME_POINT, RunPlan, day_of

GAIN = 2.0  # counts per electron
OFFSET = 200.0
READ_NOISE_E = 6.0


def photograph(
    seed: int, run: RunPlan, well: int, site: int, culture: Culture, time_point: int
) -> NDArray[np.uint16]:
    """Take the (H, W) uint16 phase-contrast frame of a culture at a time point."""
    where = (run.index, well, site)
    day = day_of(time_point)
    phase = culture.phase(day)
    add_debris(
        stream(seed, Purpose.DEBRIS, *where),
        stream(seed, Purpose.DEBRIS, *where, time_point),
        phase,
        run.debris_per_mm2,
        day,
    )
    progress = time_point / FINAL_TIME_POINT
    rng = stream(seed, Purpose.OPTICS, *where, time_point)
    pupil = Pupil(
        ring_transmission=run.ring_transmission,
        ring_um=run.ring_um,
        na=run.na,
        wavelength_um=run.wavelength_um,
        defocus_um=run.defocus_um
        + run.defocus_drift_um * (progress - 0.5)
        + run.defocus_jitter_um * float(rng.standard_normal()),
    )
    image = culture.crop(expose(phase, pupil))
    drift = stream(seed, Purpose.OPTICS, run.index).standard_normal(4) * run.light_drift
    light = illuminate(
        image.shape,
        vignetting=run.vignetting,
        tilt=(run.tilt[0] + drift[0] * progress, run.tilt[1] + drift[1] * progress),
        centre=(drift[2] * 2 * progress, drift[3] * 2 * progress),
    )
    level = run.light_e * (1 + 0.5 * drift[0] * progress + 0.01 * float(rng.standard_normal()))
    return detect(
        stream(seed, Purpose.CAMERA, *where, time_point),
        image * light * np.float32(level),
        gain=GAIN,
        offset=OFFSET,
        read_noise_e=READ_NOISE_E,
    )


def fluoresce(
    seed: int, run: RunPlan, well: int, site: int, culture: Culture, time_point: int
) -> NDArray[np.uint16]:
    """Take the (H, W) uint16 marker frame of the same field and moment.

    Brightness varies from cell to cell; out-of-focus light blurs it; all cells glow a little
    (autofluorescence and bleed-through), and the background is uneven.
    """
    where = (run.index, well, site)
    rng = stream(seed, Purpose.MARKER, *where)
    day = day_of(time_point)
    bright = np.clip(rng.lognormal(0, 0.25, culture.cardio.count), 0.6, 2.0).astype(np.float32)
    glow = culture.marker(day, bright)
    glow += np.float32(run.bleed_through) * np.clip(culture.phase(day), 0, 2)
    glow = ndimage.gaussian_filter(glow, rng.uniform(1.2, 2.2))
    haze = ndimage.gaussian_filter(glow, 14.0)
    glow = culture.crop(glow + np.float32(0.06) * haze)
    uneven = illuminate(
        glow.shape,
        vignetting=run.vignetting,
        tilt=(float(rng.uniform(-0.15, 0.15)), float(rng.uniform(-0.15, 0.15))),
        centre=(float(rng.uniform(-0.3, 0.3)), float(rng.uniform(-0.3, 0.3))),
    )
    cloud = 1 + np.float32(0.15) * smooth_field(rng, glow.shape, 170.0)
    electrons = uneven * (glow * np.float32(run.marker_e) + run.marker_background_e * cloud)
    return detect(
        stream(seed, Purpose.CAMERA, *where, time_point, 1),
        electrons.astype(np.float32),
        gain=GAIN,
        offset=OFFSET,
        read_noise_e=READ_NOISE_E,
    )


def add_debris(
    lasting: np.random.Generator,
    passing: np.random.Generator,
    phase: NDArray[np.float32],
    per_mm2: float,
    day: float,
) -> None:
    """Lay dead and dividing cells on a (H, W) phase in radians: round, thick, refractile.

    Parameters
    ----------
    lasting
        Debris that sticks: the same on every day, more with time.
    passing
        Debris that floats: elsewhere on every frame.
    """
    expected = per_mm2 * phase.size / 1e6
    born = np.sort(lasting.uniform(0, 20, lasting.poisson(expected)))
    for rng, count in (
        (lasting, int(np.sum(born < day + 2))),
        (passing, passing.poisson(expected / 3)),
    ):
        for _ in range(count):
            _add_ball(phase, *rng.uniform(0, 1, 5))


def _add_ball(
    phase: NDArray[np.float32], y: float, x: float, size: float, depth: float, lobe: float
) -> None:
    """Add one refractile ball, somewhat out of round; all arguments 0 to 1."""
    radius = 2.5 + 4.5 * size
    cy, cx = (10 + at * (side - 20) for at, side in zip((y, x), phase.shape, strict=True))
    window = np.s_[
        max(int(cy - radius - 2), 0) : int(cy + radius + 3),
        max(int(cx - radius - 2), 0) : int(cx + radius + 3),
    ]
    yy, xx = np.ogrid[window]
    dy, dx = yy - cy, xx - cx
    out = radius * (1 + 0.2 * (lobe - 0.5) * np.cos(2 * np.arctan2(dy, dx) + 6 * lobe))
    height = np.clip(1 - (dy * dy + dx * dx) / out**2, 0, None)
    phase[window] += ((1.2 + 2.6 * depth) * height).astype(np.float32)
