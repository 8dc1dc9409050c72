"""Virtual stain next to fluorescence: the best, the median and the worst field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from scopewatch.core.imaging.labels import NOT_COUNTED
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch_training.dataset.drawing import to_png
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.evaluation.assessment import Assessment, ScoredField

_MOST_PX: Final = 768
_GREY_RANGE: Final = 4.0
_GREEN: Final = np.array([0.1, 1.0, 0.25], dtype=np.float32)

StainView = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """A field to show, with its rank: `best`, `median` or `worst`."""

    rank: str
    field: ScoredField


def choose_examples(assessment: Assessment) -> list[Example]:
    """Choose the fields with the smallest, median and largest error of the efficiency.

    Fields that show the marker are preferred, since an empty one shows nothing of the stain.
    """
    shown = [each for each in assessment.fields if each.truth > 0] or list(assessment.fields)
    ordered = sorted(shown, key=lambda each: (abs(each.corrected - each.truth), -each.truth))
    ranks = {"best": 0, "median": (len(ordered) - 1) // 2, "worst": len(ordered) - 1}
    return [Example(rank=rank, field=ordered[index]) for rank, index in ranks.items()]


def draw_example(
    example: Example, dataset: Dataset, thresholds: Mapping[str, float], tile_px: int, mark: str
) -> bytes:
    """Draw one field: phase, fluorescence over phase, virtual stain over phase, errors, as PNG.

    Parameters
    ----------
    thresholds
        Binarisation threshold of each pair by its id: fluorescence is shown on a scale that
        puts it at a quarter.
    mark
        Text to print over it (`simulated`), or empty.
    """
    field = example.field
    pair = next(each for each in dataset.accepted if each.id == field.id)
    grid = TileGrid(height=pair.height, width=pair.width, tile_px=tile_px)
    phase = to_grey(np.asarray(dataset.view(pair), dtype=np.float32))
    cut = thresholds[pair.id]
    signal = np.nan_to_num(np.asarray(dataset.signal(pair), dtype=np.float32))
    scale = 4 * cut if np.isfinite(cut) else max(float(signal.max()), 1.0)
    panels = {
        "phase contrast": stain_over(phase, np.zeros_like(phase)),
        f"{dataset.marker}: {100 * field.truth:.1f} %": stain_over(
            phase, np.clip(signal / scale, 0, 1)
        ),
        f"virtual stain: {100 * field.corrected:.1f} %": stain_over(
            phase, grid.spread(field.probability)
        ),
        "found (green), missed (blue), false (red)": _stain_errors(phase, field, grid),
    }
    figure = Figure(figsize=(14, 3.9), layout="constrained")
    for axes, (name, picture) in zip(figure.subplots(1, 4), panels.items(), strict=True):
        axes.imshow(shrink(picture), interpolation="nearest")
        axes.set_title(name, fontsize=9)
        axes.set_axis_off()
    title = f"{example.rank} field: {field.id}" + (f"  ({mark})" if mark else "")
    figure.suptitle(title, fontsize=10, color="#aa2222" if mark else "#222222")
    return to_png(figure, dpi=100)


def stain_over(phase: StainView, stain: StainView) -> StainView:
    """Lay a (H, W) stain, 0 to 1, in green over a (H, W) grey picture: (H, W, 3), 0 to 1."""
    weight = 0.65 * np.clip(stain, 0, 1)[..., None]
    return np.asarray(phase[..., None] * (1 - weight) + weight * _GREEN, dtype=np.float32)


def to_grey(view: StainView) -> StainView:
    """Map a normalised (H, W) view to grey levels, 0 to 1."""
    return np.asarray(np.clip((view + _GREY_RANGE) / (2 * _GREY_RANGE), 0, 1), dtype=np.float32)


def _stain_errors(phase: StainView, field: ScoredField, grid: TileGrid) -> StainView:
    called = field.probability >= field.threshold
    true, counted = field.labels == 1, field.labels != NOT_COUNTED
    colours = np.zeros((*grid.shape, 3), dtype=np.float32)
    colours[counted & true & called] = (0.1, 0.9, 0.2)
    colours[counted & true & ~called] = (0.1, 0.4, 1.0)
    colours[counted & ~true & called] = (1.0, 0.15, 0.1)
    laid = np.stack([grid.spread(colours[..., each]) for each in range(3)], axis=-1)
    coloured = laid.any(axis=-1, keepdims=True)
    return np.asarray(
        np.where(coloured, 0.55 * phase[..., None] + 0.45 * laid, phase[..., None]),
        dtype=np.float32,
    )


def shrink(picture: StainView) -> StainView:
    """Keep every n-th pixel of a large picture."""
    step = max(1, -(-max(picture.shape[:2]) // _MOST_PX))
    return picture[::step, ::step]


def draw_examples(
    examples: Sequence[Example],
    dataset: Dataset,
    thresholds: Mapping[str, float],
    tile_px: int,
    mark: str,
) -> dict[str, bytes]:
    """Draw all examples: PNG by rank."""
    return {each.rank: draw_example(each, dataset, thresholds, tile_px, mark) for each in examples}
