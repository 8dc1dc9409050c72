"""Counts of positive tiles of pairs and runs, for all reports; each signal is read once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from scopewatch.core.imaging.labels import share_pair
from scopewatch_training.dataset.pairs.notes import BORROWED_NOTE
from scopewatch_training.dataset.pairs.record import Pair, group_by_run
from scopewatch_training.dataset.prepared import Dataset

CUTOFFS: Final = (0.02, 0.05, 0.1, 0.25, 0.5, 0.75)
"""Cut-offs of the positive share of a tile's area that are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TileCounts:
    """Numbers of tiles of one or more pairs.

    Parameters
    ----------
    whole
        That no border cuts.
    countable
        Of which enough is known.
    positive
        Countable ones that are positive at the cut-off of the data set.
    clear, clear_positive
        The same without those within the ambiguous band.
    by_cutoff
        Countable ones that are positive at each of `CUTOFFS`.
    """

    whole: int = 0
    countable: int = 0
    positive: int = 0
    clear: int = 0
    clear_positive: int = 0
    by_cutoff: tuple[int, ...] = (0,) * len(CUTOFFS)

    @property
    def prevalence(self) -> float:
        """Share of the countable tiles that is positive; nan where none is countable."""
        return share_of(self.positive, self.countable)


def share_of(part: int, total: int) -> float:
    """Return part / total; nan for a total of 0."""
    return part / total if total else float("nan")


def count_tiles(dataset: Dataset, cuts: Mapping[str, float]) -> dict[str, TileCounts]:
    """Count the tiles of each pair that has a threshold; reads their signals.

    Parameters
    ----------
    cuts
        Threshold of pairs by their id.
    """
    return {
        pair.id: _count(dataset, pair, cuts[pair.id])
        for pair in dataset.accepted
        if pair.id in cuts
    }


def add_up(counts: Iterable[TileCounts]) -> TileCounts:
    """Return the counts of several pairs together."""
    members = list(counts)
    return TileCounts(
        whole=sum(each.whole for each in members),
        countable=sum(each.countable for each in members),
        positive=sum(each.positive for each in members),
        clear=sum(each.clear for each in members),
        clear_positive=sum(each.clear_positive for each in members),
        by_cutoff=tuple(
            sum(each.by_cutoff[index] for each in members) for index in range(len(CUTOFFS))
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuality:
    """Figures of one run in the report.

    Parameters
    ----------
    noted, borrowed
        Accepted pairs with a note, and those of them whose offset is that of the run's other pairs.
    prevalence
        Share of positive tiles at the data set's own cut-off; nan without a countable tile.
    by_cutoff
        The same at each of `CUTOFFS`.
    uncounted
        Share of whole tiles that count neither way.
    """

    run: str
    pairs: int
    refused: int
    noted: int
    borrowed: int
    threshold: float
    prevalence: float
    by_cutoff: tuple[float, ...]
    uncounted: float


def inspect_runs(
    dataset: Dataset, cuts: Mapping[str, float], tiles: Mapping[str, TileCounts]
) -> list[RunQuality]:
    """Measure every run of a data set, refused pairs included.

    Parameters
    ----------
    cuts, tiles
        Threshold of each accepted pair, and `count_tiles`, by its id.
    """
    return [
        _inspect(run, members, cuts, tiles) for run, members in group_by_run(dataset.pairs).items()
    ]


def _count(dataset: Dataset, pair: Pair, cut: float) -> TileCounts:
    labels = dataset.labels
    grid, share = share_pair(dataset.signal(pair), cut, labels)
    known = share[np.isfinite(share)]
    clear = known[np.abs(known - labels.area_cutoff) >= labels.ambiguous_band]
    return TileCounts(
        whole=int(grid.whole().sum()),
        countable=known.size,
        positive=int(np.count_nonzero(known >= labels.area_cutoff)),
        clear=clear.size,
        clear_positive=int(np.count_nonzero(clear >= labels.area_cutoff)),
        by_cutoff=tuple(int(np.count_nonzero(known >= cutoff)) for cutoff in CUTOFFS),
    )


def _inspect(
    run: str,
    members: Sequence[Pair],
    cuts: Mapping[str, float],
    tiles: Mapping[str, TileCounts],
) -> RunQuality:
    accepted = [pair for pair in members if pair.refused is None]
    total = add_up(tiles[pair.id] for pair in accepted)
    thresholds = [cuts[pair.id] for pair in accepted]
    return RunQuality(
        run=run,
        pairs=len(members),
        refused=len(members) - len(accepted),
        noted=sum(bool(pair.note) for pair in accepted),
        borrowed=sum(BORROWED_NOTE in pair.note for pair in accepted),
        threshold=float(np.median(thresholds)) if thresholds else float("nan"),
        prevalence=share_of(total.clear_positive, total.clear),
        by_cutoff=tuple(share_of(count, total.countable) for count in total.by_cutoff),
        uncounted=1 - share_of(total.clear, total.whole),
    )
