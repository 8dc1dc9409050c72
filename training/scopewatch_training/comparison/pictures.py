"""Pictures of a comparison: figures with intervals, and the fields that differ most."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scopewatch.core.imaging.tiling import TileGrid
from scopewatch_training.comparison.compare import Comparison, TwoScores
from scopewatch_training.comparison.differences import Difference
from scopewatch_training.dataset.drawing import PALETTE, name_axes, to_png
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.evaluation.stain_examples import StainView, shrink, stain_over, to_grey

MOST_FIELDS: Final = 3
_IN_POINTS: Final = ("mae", "abs_bias", "bias", "raw_mae")
_IN_UNITS: Final = ("roc_auc", "f1")
_ONLY_A: Final = (0.0, 0.45, 0.7)
_ONLY_B: Final = (0.9, 0.6, 0.0)
_NEITHER: Final = (0.8, 0.47, 0.65)


def most_different(fields: Sequence[TwoScores]) -> list[TwoScores]:
    """Return the fields with the largest share of tiles that are decided otherwise, a well once."""
    ordered = sorted(fields, key=lambda each: (-each.decided_otherwise, each.first.id))
    chosen: dict[str, TwoScores] = {}
    for each in ordered:
        if each.decided_otherwise > 0 and len(chosen) < MOST_FIELDS:
            chosen.setdefault(each.well, each)
    return list(chosen.values())


def draw_figures(comparison: Comparison, mark: str) -> bytes:
    """Draw the efficiencies of both bundles and the differences with their intervals, as PNG.

    Parameters
    ----------
    mark
        Text to print over it (`simulated`), or empty.
    """
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    efficiencies, points, units = figure.subplots(1, 3, width_ratios=(1.2, 1, 1))
    _draw_efficiencies(efficiencies, comparison.fields)
    found = {each.figure: each for each in comparison.differences}
    _draw_differences(points, [found[name] for name in _IN_POINTS], "B less A [points]")
    _draw_differences(units, [found[name] for name in _IN_UNITS], "B less A")
    if mark:
        figure.suptitle(mark, fontsize=10, color="#aa2222")
    return to_png(figure)


def draw_field(
    field: TwoScores, dataset: Dataset, cuts: Mapping[str, float], tile_px: int, mark: str
) -> bytes:
    """Draw one field: phase, marker, both virtual stains, and who is right where, as PNG.

    Parameters
    ----------
    cuts
        Binarisation threshold of each pair by its id.
    """
    pair = next(each for each in dataset.accepted if each.id == field.first.id)
    grid = TileGrid(height=pair.height, width=pair.width, tile_px=tile_px)
    phase = to_grey(np.asarray(dataset.view(pair), dtype=np.float32))
    signal = np.nan_to_num(np.asarray(dataset.signal(pair), dtype=np.float32))
    cut = cuts[pair.id]
    scale = 4 * cut if np.isfinite(cut) else max(float(signal.max()), 1.0)
    one, two = field.first, field.second
    panels = {
        "phase contrast": stain_over(phase, np.zeros_like(phase)),
        f"{dataset.marker}: {100 * one.truth:.1f} %": stain_over(
            phase, np.clip(signal / scale, 0, 1)
        ),
        f"A: {100 * one.corrected:.1f} %": stain_over(phase, grid.spread(one.probability)),
        f"B: {100 * two.corrected:.1f} %": stain_over(phase, grid.spread(two.probability)),
        "right: A alone (blue), B alone (orange),\nneither (pink)": _who_is_right(
            phase, field, grid
        ),
    }
    figure = Figure(figsize=(16, 3.9), layout="constrained")
    for axes, (name, picture) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        axes.imshow(shrink(picture), interpolation="nearest")
        axes.set_title(name, fontsize=9)
        axes.set_axis_off()
    share = f"{field.decided_otherwise:.0%} of its tiles decided otherwise"
    figure.suptitle(
        f"{field.first.id}: {share}" + (f"  ({mark})" if mark else ""),
        fontsize=10,
        color="#aa2222" if mark else "#222222",
    )
    return to_png(figure, dpi=100)


def _who_is_right(phase: StainView, field: TwoScores, grid: TileGrid) -> StainView:
    one, two = field.first, field.second
    true, counted = one.labels == 1, one.counted
    right = [(each.probability >= each.threshold) == true for each in (one, two)]
    colours = np.zeros((*grid.shape, 3), dtype=np.float32)
    colours[counted & right[0] & ~right[1]] = _ONLY_A
    colours[counted & ~right[0] & right[1]] = _ONLY_B
    colours[counted & ~right[0] & ~right[1]] = _NEITHER
    laid = np.stack([grid.spread(colours[..., each]) for each in range(3)], axis=-1)
    coloured = laid.any(axis=-1, keepdims=True)
    return np.asarray(
        np.where(coloured, 0.45 * phase[..., None] + 0.55 * laid, phase[..., None]),
        dtype=np.float32,
    )


def _draw_efficiencies(axes: Axes, fields: Sequence[TwoScores]) -> None:
    truth = [100 * each.first.truth for each in fields]
    one = [100 * each.first.corrected for each in fields]
    two = [100 * each.second.corrected for each in fields]
    axes.plot([0, 100], [0, 100], color="#bbbbbb", linestyle="--")
    axes.vlines(truth, one, two, color="#999999", linewidth=0.8)
    axes.plot(truth, one, "o", color=PALETTE[0], label="A")
    axes.plot(truth, two, "s", color=PALETTE[4], label="B")
    axes.legend(fontsize=8)
    name_axes(axes, "fluorescence [%]", "estimate [%]", "efficiency of each field")


def _draw_differences(axes: Axes, found: Sequence[Difference], unit: str) -> None:
    axes.axvline(0, color="#bbbbbb", linestyle="--")
    for row, each in enumerate(reversed(found)):
        axes.plot([each.widest.low, each.widest.high], [row, row], color=PALETTE[6], linewidth=2)
        axes.plot(each.over_wells.value, row, "o", color="#222222")
    axes.set_yticks(range(len(found)), [NAMES[each.figure] for each in reversed(found)])
    axes.set_ylim(-0.6, len(found) - 0.4)
    name_axes(axes, unit, "", "differences, 95 % intervals")


NAMES: Final = {
    "roc_auc": "ROC AUC",
    "f1": "F1",
    "mae": "MAE",
    "bias": "bias",
    "abs_bias": "bias, without sign",
    "r": "r",
    "raw_mae": "raw MAE",
}
"""Figures as tables and charts write them."""
