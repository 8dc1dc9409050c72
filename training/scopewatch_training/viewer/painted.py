"""Tile labels as a layer that people paint on, and back to corrections.

0 does not count, 1 is negative, 2 is positive.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.binarise import fit_thresholds
from scopewatch_training.dataset.corrections.record import (
    Corrections,
    TileCorrection,
    TileLabel,
)
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepared import Dataset

Painted = NDArray[np.uint8]
PAINT: Final = {TileLabel.DROPPED: 0, TileLabel.NEGATIVE: 1, TileLabel.POSITIVE: 2}
_LABELS: Final = {number: label for label, number in PAINT.items()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnLabels:
    """Labels of all pairs by themselves, as paint.

    Parameters
    ----------
    pairs
        In the order of the layer.
    values
        (N, rows, cols) uint8, whole tiles; 0 beyond a pair that is smaller than others.
    """

    pairs: tuple[Pair, ...]
    tile_px: int
    values: Painted

    def whole(self, number: int) -> tuple[int, int]:
        """Return the rows and columns of whole tiles of a pair."""
        pair = self.pairs[number]
        return pair.height // self.tile_px, pair.width // self.tile_px


def own_labels(dataset: Dataset) -> OwnLabels:
    """Label all usable pairs of a data set that was opened without corrections."""
    settings, pairs = dataset.labels, dataset.accepted
    cuts = fit_thresholds(pairs, dataset.binarise).per_pair(pairs)
    tile_px = settings.tile_px
    shape = max(p.height // tile_px for p in pairs), max(p.width // tile_px for p in pairs)
    values = np.zeros((len(pairs), *shape), dtype=np.uint8)
    own = OwnLabels(pairs=pairs, tile_px=tile_px, values=values)
    for number, pair in enumerate(pairs):
        rows, cols = own.whole(number)
        labels = dataset.label(pair, cuts[pair.id], settings)[:rows, :cols]
        values[number, :rows, :cols] = labels + 1
    values.setflags(write=False)
    return own


def paint_corrections(own: OwnLabels, corrections: Corrections) -> Painted:
    """Return the labels by themselves with the corrections painted over."""
    painted = own.values.copy()
    numbers = {pair.id: number for number, pair in enumerate(own.pairs)}
    for review in corrections.pairs:
        for (row, col), label in review.labels.items():
            # A corrected pair that prepare refuses now has no slice.
            if review.id in numbers:
                painted[numbers[review.id], row, col] = PAINT[label]
    return painted


def read_painted(
    own: OwnLabels, painted: NDArray[np.integer], before: Corrections, author: str, now: datetime
) -> Corrections:
    """Return the corrections that a painted layer means.

    A tile with its own label is not corrected; corrections that are painted as they were keep
    their author and time.

    Raises
    ------
    ConfigError
        When the layer has another shape, other values than 0, 1 and 2, or paint where a pair has
        no whole tile.
    """
    if painted.shape != own.values.shape:
        raise _unfit("shape", own.values.shape, painted.shape)
    if not np.isin(painted, list(_LABELS)).all():
        raise _unfit("values", "0, 1 and 2", ", ".join(map(str, np.unique(painted)[:10])))
    reviews = []
    for number, (pair, review) in enumerate(
        zip(own.pairs, before.reviews_of(own.pairs), strict=True)
    ):
        rows, cols = own.whole(number)
        beyond = painted[number].copy()
        beyond[:rows, :cols] = 0
        if beyond.any():
            raise _unfit(f"paint on {pair}", f"{rows} x {cols} whole tiles", "paint beyond them")
        changed = np.argwhere(painted[number] != own.values[number]).tolist()
        kept = {(each.row, each.col, each.label): each for each in review.tiles}
        tiles = []
        for row, col in changed:
            label = _LABELS[int(painted[number, row, col])]
            tiles.append(
                kept.get((row, col, label))
                or TileCorrection(row=row, col=col, label=label, author=author, at=now)
            )
        reviews.append(review.model_copy(update={"tiles": tuple(tiles)}))
    return before.with_reviews(reviews)


def _unfit(what: str, expected: object, got: object) -> ConfigError:
    return ConfigError(
        complaint(
            "layer does not hold the labels of the data set",
            where=what,
            expected=expected,
            got=got,
            do="open the data set again and paint 0 (not counted), 1 (negative) or 2 (positive)",
        )
    )
