"""Phase of light behind each kind of cell: outline, body, nucleus, inner texture.

The kinds differ in shape and in how their inner texture lies to their long axis. Thickness,
granularity and the strength and fineness of the texture vary from cell to cell over ranges that
all kinds share, so that no local statistic of brightness separates them.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from scopewatch_simulator.noise import smooth_field
from scopewatch_simulator.tessellation import Tessellation, scatter_seeds, tessellate


class CellKind(IntEnum):
    """Kinds of cell a layer may hold."""

    STEM = 0
    COBBLE = 1
    SPINDLE = 2
    CARDIO = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Shape and inner structure of one kind of cell.

    Parameters
    ----------
    radius_px
        Radius of a circle of the cell's usual area.
    aspect
        Length over width.
    nucleus
        Half axes of the nucleus in units of the cell's.
    stripe_angle
        Middle and half width of the range of angles, in radians, by which a cell's inner lines
        are turned from bands across it (0: sarcomeres in register) to fibres along it (pi/2).
    stripe, grain
        Share of the inner texture that is lines, and that is granules.
    """

    radius_px: float
    aspect: float
    nucleus: float
    stripe_angle: tuple[float, float]
    stripe: float
    grain: float


LOOKS = {
    CellKind.STEM: Look(
        radius_px=8.0, aspect=1.05, nucleus=0.55, stripe_angle=(0.0, 0.0), stripe=0.0, grain=1.0
    ),
    CellKind.COBBLE: Look(
        radius_px=12.5, aspect=1.3, nucleus=0.38, stripe_angle=(0.0, 1.57), stripe=0.5, grain=0.8
    ),
    CellKind.SPINDLE: Look(
        radius_px=12.5, aspect=3.0, nucleus=0.38, stripe_angle=(1.25, 0.32), stripe=1.0, grain=0.4
    ),
    CellKind.CARDIO: Look(
        radius_px=12.5, aspect=2.6, nucleus=0.38, stripe_angle=(0.0, 0.14), stripe=1.0, grain=0.4
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """A confluent layer of cells and the phase it gives to light.

    Parameters
    ----------
    label
        (H, W) int32 cell of each pixel; `count` where there is none.
    phase
        (H, W) float32 radians.
    body
        (H, W) float32, 0 at the borders of a cell to about 1 within; the marker fills it.
    y, x
        (count,) float32 centres in pixels.
    kind
        (count,) int8 CellKind.
    """

    label: NDArray[np.int32]
    phase: NDArray[np.float32]
    body: NDArray[np.float32]
    y: NDArray[np.float32]
    x: NDArray[np.float32]
    kind: NDArray[np.int8]

    @property
    def count(self) -> int:
        """Number of cells."""
        return len(self.y)

    def spread(self, per_cell: NDArray[np.float32]) -> NDArray[np.float32]:
        """Lay (count,) values into the plane: (H, W), 0 where there is no cell."""
        return np.append(per_cell, np.float32(0)).take(self.label)


def grow_layer(
    rng: np.random.Generator,
    kinds: NDArray[np.int8],
    direction: NDArray[np.float32],
    *,
    cell_scale: float,
    phase_scale: float,
) -> Layer:
    """Fill a plane with cells of the given kinds.

    Parameters
    ----------
    kinds
        (H, W) CellKind that a cell with its centre here is of.
    direction
        (H, W) radians along which long cells lie.
    cell_scale, phase_scale
        Linear size and optical thickness against the usual.
    """
    size = smooth_field(rng, kinds.shape, 30.0) * np.float32(0.1)
    radius = np.array([LOOKS[kind].radius_px for kind in CellKind], np.float32) * cell_scale
    aspect = np.array([LOOKS[kind].aspect for kind in CellKind], np.float32)

    def shapes_at(
        y: NDArray[np.intp], x: NDArray[np.intp]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        kind = kinds[y, x]
        long = 1 + (aspect[kind] - 1) * rng.uniform(0.7, 1.3, len(y)).astype(np.float32)
        own = radius[kind] * np.exp(size[y, x])
        turn = direction[y, x] + rng.normal(0, 0.15, len(y))
        turn = np.where(aspect[kind] < 1.5, rng.uniform(0, np.pi, len(y)), turn)
        return turn.astype(np.float32), own * np.sqrt(long), own / np.sqrt(long)

    seeds = scatter_seeds(rng, kinds.shape, shapes_at)
    cells = tessellate(rng, seeds, kinds.shape, wobble_px=1.6)
    kind = kinds[seeds.y.astype(np.intp), seeds.x.astype(np.intp)].astype(np.int8)
    phase, body = _phase(rng, cells, kind, phase_scale)
    return Layer(label=cells.label, phase=phase, body=body, y=seeds.y, x=seeds.x, kind=kind)


def _phase(
    rng: np.random.Generator, cells: Tessellation, kind: NDArray[np.int8], phase_scale: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the phase (radians) and the body (0 to 1) of all cells, (H, W) float32 each."""
    count, shape, label = len(kind), cells.label.shape, cells.label

    def of_cells(values: NDArray[np.float64]) -> NDArray[np.float32]:
        return np.append(values, 0).astype(np.float32).take(label)

    def of_kinds(name: str) -> NDArray[np.float64]:
        return np.array([getattr(LOOKS[CellKind(k)], name) for k in CellKind], float)[kind]

    # Ranges below are shared by all kinds on purpose.
    thick = rng.lognormal(-1.5, 0.4, count)
    groove = rng.uniform(0.1, 0.75, count)
    texture = rng.lognormal(-2.9, 0.35, count)
    period_px = rng.uniform(5.5, 8.5, count)
    nucleus_phase = rng.normal(0.08, 0.05, count)

    body = 1 - np.exp(-np.maximum(cells.edge_px, 0) / np.float32(1.8))
    dome = np.float32(0.55) + np.float32(0.45) * np.exp(-(cells.radius**2))
    phase = of_cells(thick) * (1 - of_cells(groove) * (1 - body)) * dome
    phase += np.float32(0.05) * smooth_field(rng, shape, 18.0)

    long_px, wide_px = (
        of_kinds("nucleus") * half for half in (cells.seeds.half_long, cells.seeds.half_wide)
    )
    shift_px = rng.normal(0, 0.12, count) * cells.seeds.half_long
    u, v = cells.along - of_cells(shift_px), cells.across
    inside = (u / (of_cells(long_px) + 1e-3)) ** 2 + (v / (of_cells(wide_px) + 1e-3)) ** 2
    nucleus = 1 / (1 + np.exp(np.clip((np.sqrt(inside) - 1) * 7, -20, 20)))
    phase += of_cells(nucleus_phase) * nucleus * body
    for _ in range(2):
        away = rng.uniform(-0.45, 0.45, (2, count))
        spot = (u - of_cells(away[0] * long_px)) ** 2 + (v - of_cells(away[1] * wide_px)) ** 2
        phase += of_cells(rng.uniform(0.02, 0.12, count)) * np.exp(-spot / np.float32(3.2))

    middle, half_range = np.array([LOOKS[k].stripe_angle for k in CellKind])[kind].T
    turn = (middle + half_range * rng.uniform(-1, 1, count)) * rng.choice((-1, 1), count)
    lines = cells.along * of_cells(np.cos(turn)) + cells.across * of_cells(np.sin(turn))
    lines *= of_cells(2 * np.pi / period_px)
    lines += of_cells(rng.uniform(0, 2 * np.pi, count)) + smooth_field(rng, shape, 12.0)
    lines = np.sin(lines)
    grains = smooth_field(rng, shape, 2.6) * np.float32(0.9)
    inner = of_cells(texture * of_kinds("stripe")) * lines
    inner += of_cells(texture * of_kinds("grain")) * grains
    phase += inner * body * (1 - np.float32(0.7) * nucleus)
    return np.asarray(phase * np.float32(phase_scale), np.float32), np.asarray(body, np.float32)
