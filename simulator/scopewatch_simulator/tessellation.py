"""Cell outlines: a cell layer as an anisotropic Voronoi diagram of blue-noise seeds.

Seeds keep a distance that follows each cell's own size, aspect and direction (random sequential
adsorption); a pixel belongs to the seed that is nearest in that seed's metric. Round seeds give
a cobblestone layer, long ones aligned spindles or bricks.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scopewatch_simulator.noise import smooth_field

_BLOCK_PX = 256
_REACH = 2.1  # of the half axes: how far from its seed a cell may extend


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seeds:
    """Cells as ellipses before they meet: (n,) float32 each, in pixels and radians."""

    y: NDArray[np.float32]
    x: NDArray[np.float32]
    angle: NDArray[np.float32]
    half_long: NDArray[np.float32]
    half_wide: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tessellation:
    """Cell of every pixel, and the position of the pixel in that cell.

    Parameters
    ----------
    label
        (H, W) int32 index into `seeds`; `len(seeds)` where no cell reaches.
    along, across
        (H, W) float32 pixels from the cell's centre along its long and its short axis.
    radius
        (H, W) float32 distance from the centre in the cell's metric: 1 on the seed's ellipse.
    edge_px
        (H, W) float32 distance to the cell's border, approximately.
    """

    seeds: Seeds
    label: NDArray[np.int32]
    along: NDArray[np.float32]
    across: NDArray[np.float32]
    radius: NDArray[np.float32]
    edge_px: NDArray[np.float32]


def scatter_seeds(
    rng: np.random.Generator,
    shape: tuple[int, int],
    shapes_at: Callable[
        [NDArray[np.intp], NDArray[np.intp]],
        tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]],
    ],
    *,
    spacing: float = 1.5,
) -> Seeds:
    """Fill a plane with cells that keep their distance.

    Parameters
    ----------
    shape
        (H, W) of the plane in pixels.
    shapes_at
        Gives (angle, half_long, half_wide) of cells that would lie at the (n,) pixel positions.
    spacing
        Least distance of two centres, in half axes of the later one.
    """
    height, width = shape
    trial = shapes_at(*_uniform(rng, shape, 256))
    tries_per_px2 = 8.0 / float(np.mean(trial[1] * trial[2]) * np.pi)
    kept: list[NDArray[np.float32]] = [np.empty((0, 5), np.float32)]
    for top in range(0, height, _BLOCK_PX):
        for left in range(0, width, _BLOCK_PX):
            block = min(_BLOCK_PX, height - top), min(_BLOCK_PX, width - left)
            y, x = _uniform(rng, block, int(tries_per_px2 * block[0] * block[1]))
            y, x = y + top, x + left
            angle, half_long, half_wide = shapes_at(y, x)
            tries = np.stack([y, x, angle, half_long, half_wide], axis=1).astype(np.float32)
            old = np.concatenate(kept)
            reach = spacing * float(half_long.max(initial=1))
            near = old[
                (np.abs(old[:, 0] - top - block[0] / 2) < block[0] / 2 + reach)
                & (np.abs(old[:, 1] - left - block[1] / 2) < block[1] / 2 + reach)
            ]
            kept.append(_adsorb(near, tries, spacing))
    return Seeds(
        **dict(
            zip(
                ("y", "x", "angle", "half_long", "half_wide"),
                np.concatenate(kept).T.copy(),
                strict=True,
            )
        )
    )


def _uniform(
    rng: np.random.Generator, shape: tuple[int, int], count: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return rng.integers(0, shape[0], count), rng.integers(0, shape[1], count)


def _adsorb(
    near: NDArray[np.float32], tries: NDArray[np.float32], spacing: float
) -> NDArray[np.float32]:
    """Accept those (n, 5) tries that keep their distance; return the accepted ones."""
    room = np.empty((len(near) + len(tries), 2), np.float32)
    room[: len(near)] = near[:, :2]
    count = len(near)
    cosine, sine = np.cos(tries[:, 2]), np.sin(tries[:, 2])
    accepted = []
    for index in range(len(tries)):
        dy = room[:count, 0] - tries[index, 0]
        dx = room[:count, 1] - tries[index, 1]
        along = (dx * cosine[index] + dy * sine[index]) / tries[index, 3]
        across = (dy * cosine[index] - dx * sine[index]) / tries[index, 4]
        if count and (along * along + across * across).min() < spacing * spacing:
            continue
        room[count] = tries[index, :2]
        count += 1
        accepted.append(index)
    return tries[accepted]


def tessellate(
    rng: np.random.Generator, seeds: Seeds, shape: tuple[int, int], *, wobble_px: float
) -> Tessellation:
    """Give every pixel to its nearest seed, each seed measuring in its own metric.

    Parameters
    ----------
    wobble_px
        How far outlines are bent: Voronoi borders are straight, cells' are not.
    """
    height, width = shape
    bend_y, bend_x = (wobble_px * smooth_field(rng, shape, 9.0) for _ in range(2))
    yy = np.arange(height, dtype=np.float32)[:, None] + bend_y
    xx = np.arange(width, dtype=np.float32)[None, :] + bend_x
    first = np.full(shape, np.float32(_REACH**2))
    second = first.copy()
    label = np.full(shape, len(seeds), np.int32)
    cosine, sine = np.cos(seeds.angle), np.sin(seeds.angle)
    for index in range(len(seeds)):
        reach = _REACH * seeds.half_long[index] + 3 * wobble_px
        window = np.s_[
            max(int(seeds.y[index] - reach), 0) : int(seeds.y[index] + reach) + 1,
            max(int(seeds.x[index] - reach), 0) : int(seeds.x[index] + reach) + 1,
        ]
        dy, dx = yy[window] - seeds.y[index], xx[window] - seeds.x[index]
        along = (dx * cosine[index] + dy * sine[index]) / seeds.half_long[index]
        across = (dy * cosine[index] - dx * sine[index]) / seeds.half_wide[index]
        distance = along * along + across * across
        best = first[window]
        closer = distance < best
        second[window] = np.where(closer, best, np.minimum(second[window], distance))
        first[window] = np.where(closer, distance, best)
        label[window][closer] = index
    pad = [
        np.append(a, np.float32(1)) for a in (seeds.y, seeds.x, seeds.half_long, seeds.half_wide)
    ]
    cosine, sine = np.append(cosine, np.float32(1)), np.append(sine, np.float32(0))
    dy, dx = yy - pad[0][label], xx - pad[1][label]
    radius = np.sqrt(first)
    half_px = np.sqrt(pad[2] * pad[3])[label] / 2
    return Tessellation(
        seeds=seeds,
        label=label,
        along=dx * cosine[label] + dy * sine[label],
        across=dy * cosine[label] - dx * sine[label],
        radius=radius,
        edge_px=(np.sqrt(second) - radius) * half_px,
    )
