"""Plans one field of view: territories, colonies, fates and drift, before rendering frames."""

import numpy as np
from numpy.typing import NDArray

from scopewatch_simulator.cells import CellKind, Layer, grow_layer
from scopewatch_simulator.culture import MARGIN_PX, Culture, Motion
from scopewatch_simulator.noise import Purpose, smooth_field, stream
from scopewatch_simulator.plan import RunPlan, WellPlan
from scopewatch_simulator.truth import efficiency_of


def plan_culture(seed: int, run: RunPlan, well: WellPlan, site: int, size_px: int) -> Culture:
    """Plan one field of view: all slow computations, so that a frame is quick.

    Parameters
    ----------
    size_px
        Side of the square field, margin excluded.
    """
    where = (run.index, well.index, site)
    shape = (size_px + 2 * MARGIN_PX,) * 2
    rng = stream(seed, Purpose.FIELD, *where)
    direction = (
        np.arctan2(smooth_field(rng, shape, 90.0), smooth_field(rng, shape, 90.0)) / np.float32(2)
    ).astype(np.float32)
    empty = smooth_field(rng, shape, 45.0)
    empty_above = float(np.quantile(empty, 1 - run.gap_fraction * rng.uniform(0.3, 1.7)))
    stem, other, cardio = (
        grow_layer(
            stream(seed, purpose, *where),
            kinds,
            direction,
            cell_scale=run.cell_scale,
            phase_scale=run.phase_scale,
        )
        for purpose, kinds in (
            (Purpose.STEM, np.full(shape, CellKind.STEM, np.int8)),
            (Purpose.OTHER, _other_kinds(rng, shape)),
            (Purpose.CARDIO, np.full(shape, CellKind.CARDIO, np.int8)),
        )
    )
    arrival = _colonise(rng, shape)
    target = well.final_efficiency * float(rng.lognormal(0, 0.06))
    switch_day = _decide(
        stream(seed, Purpose.FATE, *where),
        cardio,
        _at(empty, cardio) <= empty_above,
        well,
        min(target, 0.97),
        size_px,
    )
    return Culture(
        size_px=size_px,
        stem=stem,
        other=other,
        cardio=cardio,
        stem_arrival_day=_arrive(stem, arrival, empty, empty_above),
        other_arrival_day=_arrive(other, arrival, empty, empty_above),
        turn_day=np.asarray(
            3.0 + run.shift_day + 0.5 * rng.standard_normal(other.count), np.float32
        ),
        switch_day=switch_day,
        motion=_move(stream(seed, Purpose.MOTION, *where), shape),
    )


def _other_kinds(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.int8]:
    """Territories of the cells that are no cardiomyocytes: (H, W) CellKind."""
    kinds = np.full(shape, CellKind.COBBLE, np.int8)
    spindles, stems = (smooth_field(rng, shape, spacing) for spacing in (80.0, 45.0))
    kinds[spindles > np.quantile(spindles, 1 - rng.uniform(0.25, 0.6))] = CellKind.SPINDLE
    kinds[stems > np.quantile(stems, 1 - rng.uniform(0.04, 0.16))] = CellKind.STEM
    return kinds


def _colonise(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float32]:
    """(H, W) float32 day on which growing colonies reach each pixel."""
    count = max(3, int(rng.uniform(18, 40) * shape[0] * shape[1] / 1e6))
    nearest = np.full(shape, np.inf, np.float32)
    yy, xx = (np.arange(side, dtype=np.float32) for side in shape)
    for y, x in rng.uniform(0, 1, (count, 2)) * shape:
        np.minimum(nearest, np.hypot(yy[:, None] - y, xx[None, :] - x), out=nearest)
    outwards = nearest + 14 * smooth_field(rng, shape, 25.0) - rng.uniform(20, 35)
    return np.asarray(np.clip(outwards / rng.uniform(28, 45), -1, 4.5), np.float32)


def _arrive(
    layer: Layer, arrival: NDArray[np.float32], empty: NDArray[np.float32], empty_above: float
) -> NDArray[np.float32]:
    """(count,) float32 day on which each cell is first there; infinite in a gap."""
    return np.where(_at(empty, layer) > empty_above, np.float32(np.inf), _at(arrival, layer))


def _decide(
    rng: np.random.Generator,
    cardio: Layer,
    viable: NDArray[np.bool_],
    well: WellPlan,
    target: float,
    size_px: int,
) -> NDArray[np.float32]:
    """Choose the cells that become cardiomyocytes, so that the final efficiency is `target`.

    Peaks of a smooth field become patches. The cut is searched by bisection on the share of
    positive tiles, the number that the truth reports.

    Returns
    -------
    (count,) float32 day on which each cell switches; infinite: never.
    """
    shape = cardio.label.shape
    will = _at(_patches(rng, shape, well.patch_px, size_px), cardio)
    will += 0.05 * rng.standard_normal(cardio.count).astype(np.float32)
    order = np.argsort(-np.where(viable, will, -np.inf), kind="stable")
    low, high = 0, int(viable.sum())
    inner = slice(MARGIN_PX, MARGIN_PX + size_px)
    label = cardio.label[inner, inner]
    while low < high:
        middle = (low + high) // 2
        fated = np.zeros(cardio.count + 1, np.float32)
        fated[order[:middle]] = 1
        if efficiency_of(fated.take(label)) < target:
            low = middle + 1
        else:
            high = middle
    fated_cells = order[:low]
    rank = np.argsort(np.argsort(-will[fated_cells] + 0.35 * rng.standard_normal(low))).astype(
        np.float32
    )
    days = np.full(cardio.count, np.inf, np.float32)
    days[fated_cells] = well.switch_days((rank + np.float32(0.5)) / np.float32(max(low, 1)))
    return days


def _patches(
    rng: np.random.Generator, shape: tuple[int, int], patch_px: float, size_px: int
) -> NDArray[np.float32]:
    """(H, W) float32 whose peaks become patches of cardiomyocytes.

    A smooth random field, raised around some places well within the frame: operators image places
    where cells grow, and the border would cut a patch outside them.
    """
    will = smooth_field(rng, shape, patch_px)
    yy, xx = (np.arange(side, dtype=np.float32) for side in shape)
    for y, x in MARGIN_PX + size_px * rng.uniform(
        0.2, 0.8, (max(1, round((size_px / 512) ** 2)), 2)
    ):
        away_px = np.hypot(yy[:, None] - y, xx[None, :] - x)
        will += 3 * np.exp(away_px / np.float32(-0.6 * patch_px))
    return np.asarray(will, np.float32)


def _move(rng: np.random.Generator, shape: tuple[int, int]) -> Motion:
    fields = np.stack(
        [np.stack([smooth_field(rng, shape, 120.0) for _ in range(2)]) for _ in range(2)]
    )
    return Motion(
        fields=np.asarray(fields * np.float32(6.0), np.float32),
        rate=(float(rng.uniform(0.15, 0.3)), float(rng.uniform(0.3, 0.6))),
    )


def _at(plane: NDArray[np.float32], layer: Layer) -> NDArray[np.float32]:
    """Read a (H, W) plane at the centres of a layer's cells: (count,)."""
    return plane[layer.y.astype(np.intp), layer.x.astype(np.intp)]
