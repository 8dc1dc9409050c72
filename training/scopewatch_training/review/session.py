"""A session of review: a data set, what was decided about it, and what can be undone.

Every change is on disk before the next one is taken.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.binarise import fit_thresholds
from scopewatch.core.imaging.labels import Labels, label_shares, share_pair
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch_training.dataset.corrections.file import write_corrections
from scopewatch_training.dataset.corrections.record import (
    Corrections,
    Decision,
    PairDecision,
    PairReview,
    TileCorrection,
    TileLabel,
)
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepared import Dataset

_MOST_UNDONE: Final = 200
_MOST_KEPT: Final = 16
_NUMBERS: Final = {TileLabel.POSITIVE: 1, TileLabel.NEGATIVE: 0, TileLabel.DROPPED: -1}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairTiles:
    """Tiles of a pair as its fluorescence labels them.

    Parameters
    ----------
    share
        (rows, cols) float32: positive share of the area; NaN where it is not countable.
    labels
        (rows, cols) int8: 1, 0, -1 not counted.
    """

    grid: TileGrid
    share: NDArray[np.float32]
    labels: Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """A change that can be undone: the pair, and the corrections before it."""

    pair_id: str
    before: Corrections


class ReviewSession:
    """Corrections of one data set by one person; may be called from several threads.

    Parameters
    ----------
    dataset
        As `prepare` wrote it: opened without corrections.
    author
        Name that goes with each decision.
    now
        Returns the time as aware UTC.

    Raises
    ------
    ConfigError
        When corrections that are there do not fit the data set.
    """

    def __init__(self, dataset: Dataset, *, author: str, now: Callable[[], datetime]) -> None:
        self.dataset = dataset
        self.author = author
        self._now = now
        self._pairs = {pair.id: pair for pair in dataset.accepted}
        fitted = fit_thresholds(dataset.accepted, dataset.binarise)
        self._thresholds = fitted.per_pair(dataset.accepted)
        self._tiles: OrderedDict[str, PairTiles] = OrderedDict()
        self._steps: deque[_Step] = deque(maxlen=_MOST_UNDONE)
        self._lock = threading.Lock()
        self._on_disk: Corrections | None = None
        self.refresh()

    @property
    def corrections(self) -> Corrections:
        """What was decided so far."""
        return self._on_disk or Corrections(tile_px=self.dataset.labels.tile_px)

    @property
    def undoable(self) -> bool:
        """Whether there is a change of this session to undo."""
        return bool(self._steps)

    def refresh(self) -> None:
        """Take up what another program wrote meanwhile; after that nothing can be undone.

        Raises
        ------
        ConfigError
            When it does not fit the data set.
        """
        with self._lock:
            found = self.dataset.read_corrections()
            if found != self._on_disk:
                self._on_disk = found
                self._steps.clear()

    def find(self, pair_id: str) -> Pair:
        """Return a usable pair.

        Raises
        ------
        ConfigError
            When there is none of this name.
        """
        pair = self._pairs.get(pair_id)
        if pair is None:
            raise ConfigError(
                complaint(
                    "pair is not in the data set, or cannot be used",
                    where=self.dataset.folder,
                    got=pair_id,
                    do="go back to the list",
                )
            )
        return pair

    def threshold(self, pair: Pair) -> float:
        """Return the counts above which a pixel of a pair is positive; inf without signal.

        It is fitted on all pairs, as in the QC report; a fit learns its own from its runs.
        """
        return self._thresholds[pair.id]

    def tiles(self, pair: Pair) -> PairTiles:
        """Return the tiles of a pair as its fluorescence labels them."""
        with self._lock:
            kept = self._tiles.get(pair.id)
            if kept is None:
                kept = self._tiles[pair.id] = self._label(pair)
                if len(self._tiles) > _MOST_KEPT:
                    self._tiles.popitem(last=False)
            self._tiles.move_to_end(pair.id)
            return kept

    def correct(self, pair_id: str, row: int, col: int, label: TileLabel | None) -> PairReview:
        """Give a tile a label; None, or the label it has by itself, takes a correction back.

        Raises
        ------
        ConfigError
            When pair or tile do not exist, or the file cannot be written.
        """
        pair = self.find(pair_id)
        tiles = self.tiles(pair)
        rows, cols = pair.height // tiles.grid.tile_px, pair.width // tiles.grid.tile_px
        if not (0 <= row < rows and 0 <= col < cols):
            raise ConfigError(
                complaint(
                    "no such tile, or it is cut by the border",
                    where=pair,
                    expected=f"rows 0 to {rows - 1}, columns 0 to {cols - 1}",
                    got=f"row {row}, column {col}",
                    do="choose a whole tile",
                )
            )
        by_itself = int(tiles.labels[row, col])

        def change(review: PairReview) -> PairReview:
            if label is None or _NUMBERS[label] == by_itself:
                return review.without_tile(row, col)
            return review.with_tile(
                TileCorrection(row=row, col=col, label=label, author=self.author, at=self._now())
            )

        return self._change(pair, change)

    def decide(self, pair_id: str, decision: Decision | None) -> PairReview:
        """Accept or drop a pair; None takes the decision back.

        Raises
        ------
        ConfigError
            When there is no such pair, or the file cannot be written.
        """
        made = (
            None
            if decision is None
            else PairDecision(decision=decision, author=self.author, at=self._now())
        )
        return self._change(
            self.find(pair_id), lambda review: review.model_copy(update={"decision": made})
        )

    def undo(self) -> str | None:
        """Take back the last change of this session; returns the pair's id, None without one.

        Raises
        ------
        ConfigError
            When the file cannot be written.
        """
        with self._lock:
            if not self._steps:
                return None
            step = self._steps[-1]
            self._write(step.before)
            self._steps.pop()
            return step.pair_id

    def _change(self, pair: Pair, change: Callable[[PairReview], PairReview]) -> PairReview:
        with self._lock:
            before = self.corrections
            review = change(before.review_of(pair))
            after = before.with_review(review)
            if after != before:
                self._write(after)
                self._steps.append(_Step(pair_id=pair.id, before=before))
            return review

    def _write(self, corrections: Corrections) -> None:
        write_corrections(self.dataset.folder, corrections, replaces=self._on_disk)
        self._on_disk = corrections

    def _label(self, pair: Pair) -> PairTiles:
        settings, cut = self.dataset.labels, self._thresholds[pair.id]
        grid, share = share_pair(self.dataset.signal(pair), cut, settings)
        labels = label_shares(share, settings.area_cutoff, settings.ambiguous_band)
        return PairTiles(grid=grid, share=share, labels=labels)
