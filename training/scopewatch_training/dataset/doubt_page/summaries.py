"""What the page of doubts shows of each pair and run, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from math import isfinite
from typing import Final

import numpy as np

from scopewatch.core.errors import ConfigError
from scopewatch.core.imaging.binarise import fit_thresholds
from scopewatch_training.dataset.checks.copies import list_copies
from scopewatch_training.dataset.checks.uneven import measure_unevenness
from scopewatch_training.dataset.doubts import Doubt, Verdict, Weight, group_doubts, verdict
from scopewatch_training.dataset.pairs.record import Pair, group_by_run
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.tile_counts import TileCounts

REFUSED: Final = "refused"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairSummary:
    """A pair and what is doubtful about it.

    Parameters
    ----------
    doubts
        Those that name this pair.
    copies
        Names of the pairs that it is a copy of, or that are copies of it.
    prevalence
        Share of positive tiles; nan where it has no countable tile or no threshold.
    """

    pair: Pair
    doubts: tuple[Doubt, ...]
    copies: tuple[str, ...]
    prevalence: float

    @property
    def verdict(self) -> str:
        """`refused`, or the verdict over its doubts; a copy is at least to be looked at."""
        if self.pair.refused is not None:
            return REFUSED
        own = verdict(self.doubts)
        return Verdict.LOOK if self.copies and own is Verdict.GOOD else own

    @property
    def is_doubtful(self) -> bool:
        """Whether a person should look at it."""
        return self.verdict != Verdict.GOOD


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """Figures of a run.

    Parameters
    ----------
    offset_px
        Median (dy, dx) of the pairs that were registered; None where none was.
    scatter_px, least_confidence
        Largest distance from it, and lowest confidence, of the same pairs; nan where none was.
    moved_px
        Largest disagreement of a part of a pair with its offset.
    clipped
        Largest clipped share of a fluorescence picture.
    prevalence
        Mean over the pairs, nan where unknown.
    uneven
        Range of the background that is left, in thresholds; nan where it cannot be judged.
    verdict
        Over the doubts about the run and its pairs.
    """

    run: str
    pairs: int
    refused: int
    doubtful: int
    copies: int
    offset_px: tuple[float, float] | None
    scatter_px: float
    least_confidence: float
    moved_px: float
    clipped: float
    prevalence: float
    uneven: float
    verdict: Verdict


def summarise_pairs(dataset: Dataset, tiles: Mapping[str, TileCounts]) -> list[PairSummary]:
    """Return a summary of each pair, in the order of the data set.

    Parameters
    ----------
    tiles
        `tile_counts.count_tiles` of each accepted pair by its id; empty where no threshold can be
        fitted.
    """
    copies: dict[str, list[str]] = {}
    for one, other, _ in list_copies(dataset.accepted):
        copies.setdefault(one.id, []).append(str(other))
        copies.setdefault(other.id, []).append(str(one))
    about = group_doubts(dataset.doubts)
    return [
        PairSummary(
            pair=pair,
            doubts=about.get((pair.run, pair.phase), ()),
            copies=tuple(copies.get(pair.id, ())),
            prevalence=tiles.get(pair.id, TileCounts()).prevalence,
        )
        for pair in dataset.pairs
    ]


def summarise_runs(
    dataset: Dataset, pairs: Sequence[PairSummary], cuts: Mapping[str, float]
) -> list[RunSummary]:
    """Return a summary of each run.

    Parameters
    ----------
    cuts
        `fit_cuts`.
    """
    by_id = {each.pair.id: each for each in pairs}
    uneven = {run: found.left for run, found in measure_unevenness(dataset.accepted, cuts).items()}
    return [
        _summarise_run(
            dataset, run, [by_id[pair.id] for pair in members], uneven.get(run, float("nan"))
        )
        for run, members in group_by_run(dataset.pairs).items()
    ]


def fit_cuts(dataset: Dataset) -> dict[str, float]:
    """Return the threshold of each accepted pair; empty where controls are missing."""
    try:
        return dict(fit_thresholds(dataset.accepted, dataset.binarise).per_pair(dataset.accepted))
    except ConfigError:
        # The fit reports it, and may be given other controls: all but the labels is shown.
        return {}


def gravest_first(pairs: Sequence[PairSummary]) -> list[PairSummary]:
    """Return the doubtful pairs, the gravest first, runs in turn; refused ones at the end."""
    weights = {Verdict.STOP: Weight.STOP, Verdict.LOOK: Weight.LOOK}
    numbers: dict[tuple[str, str], count[int]] = {}
    ranked = []
    for place, each in enumerate(pairs):
        if each.is_doubtful:
            turn = next(numbers.setdefault((each.pair.run, each.verdict), count()))
            weight = 0 if each.verdict == REFUSED else weights[Verdict(each.verdict)]
            ranked.append((-weight, turn, place, each))
    return [each for *_, each in sorted(ranked, key=lambda entry: entry[:3])]


def _summarise_run(
    dataset: Dataset, run: str, members: Sequence[PairSummary], uneven: float
) -> RunSummary:
    used = [each for each in members if each.pair.refused is None]
    measured = [each.pair for each in used if each.pair.registered]
    offset, scatter, least = None, float("nan"), float("nan")
    if measured:
        offsets = np.array([pair.offset_px for pair in measured])
        middle = np.median(offsets, axis=0)
        offset = (float(middle[0]), float(middle[1]))
        scatter = float(np.hypot(*(offsets - middle).T).max())
        least = min(pair.registration_confidence for pair in measured)
    known = [each.prevalence for each in used if isfinite(each.prevalence)]
    return RunSummary(
        run=run,
        pairs=len(members),
        refused=len(members) - len(used),
        doubtful=sum(each.is_doubtful for each in used),
        copies=sum(bool(each.copies) for each in used),
        offset_px=offset,
        scatter_px=scatter,
        least_confidence=least,
        moved_px=max((each.pair.moved_px for each in used), default=0.0),
        clipped=max((each.pair.fluorescence_look.clipped for each in used), default=0.0),
        prevalence=float(np.mean(known)) if known else float("nan"),
        uneven=uneven,
        verdict=verdict(each for each in dataset.doubts if each.run == run),
    )
