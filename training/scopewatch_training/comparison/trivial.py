"""What trivial methods reach on the fields of a comparison, tuned on these very fields.

A difference between two bundles means little where both are level with one of them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite, nan
from typing import Any, Final

import numpy as np

from scopewatch.core.imaging.tiling import TileGrid
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.evaluation.assessment import ScoredField
from scopewatch_training.network.metrics.images import image_metrics
from scopewatch_training.network.metrics.tiles import best_f1_threshold, tile_metrics

MEAN: Final = "mean of these fields"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trivial:
    """Figures of a trivial method; errors in percentage points, nan where undefined."""

    name: str
    roc_auc: float
    f1: float
    mae: float
    bias: float
    r: float

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON values; undefined ones are null."""
        values = asdict(self)
        del values["name"]
        return {name: value if isfinite(value) else None for name, value in values.items()}


def trivial_methods(
    fields: Sequence[ScoredField], dataset: Dataset, tile_px: int
) -> tuple[Trivial, ...]:
    """Return the trivial methods: all tiles positive, the mean efficiency, local deviation."""
    truth = np.array([each.truth for each in fields])
    labels = np.concatenate([each.labels[each.counted] for each in fields])
    share = float(np.mean(labels == 1))
    everywhere, mean = (image_metrics(np.full(len(truth), x), truth) for x in (1.0, truth.mean()))
    return (
        Trivial(
            name="every tile positive",
            roc_auc=0.5,
            f1=2 * share / (1 + share),
            mae=everywhere.mae,
            bias=everywhere.bias,
            r=nan,
        ),
        Trivial(name=MEAN, roc_auc=0.5, f1=nan, mae=mean.mae, bias=mean.bias, r=nan),
        _local_deviation(fields, dataset, tile_px),
    )


def _local_deviation(fields: Sequence[ScoredField], dataset: Dataset, tile_px: int) -> Trivial:
    """Standard deviation of each tile, in the direction that suits, and a line through fields."""
    pairs = {pair.id: pair for pair in dataset.accepted}
    scores = []
    for field in fields:
        view = np.asarray(dataset.view(pairs[field.id]), dtype=np.float32)
        grid = TileGrid(height=view.shape[0], width=view.shape[1], tile_px=tile_px)
        variance = grid.means(np.square(view)) - np.square(grid.means(view))
        scores.append(np.sqrt(np.maximum(variance, 0))[field.counted])
    labels = np.concatenate([each.labels[each.counted] for each in fields])
    every = np.concatenate(scores)
    truth = np.array([each.truth for each in fields])
    means = np.array([float(each.mean()) for each in scores])
    if np.unique(labels).size < 2:
        return Trivial(name="local deviation", roc_auc=nan, f1=nan, mae=nan, bias=nan, r=nan)
    rank = np.argsort(np.argsort(every)) / len(every)
    rank = rank if tile_metrics(labels, rank, 0.5).roc_auc >= 0.5 else 1 - rank
    tiles = tile_metrics(labels, rank, best_f1_threshold(labels, rank))
    line = np.polyfit(means, truth, 1) if np.ptp(means) else np.array([0.0, truth.mean()])
    images = image_metrics(np.polyval(line, means), truth)
    return Trivial(
        name="local deviation",
        roc_auc=tiles.roc_auc,
        f1=tiles.f1,
        mae=images.mae,
        bias=images.bias,
        r=images.r,
    )
