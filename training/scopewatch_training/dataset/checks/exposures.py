"""Finds pairs whose cells are much brighter or darker than those of the run's other pairs.

The pairs of a run share a threshold: where some were exposed otherwise, it is right for none of
both. Cells of one marker are about equally bright, however many there are.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from scopewatch.core.imaging import histogram as histograms
from scopewatch_training.dataset.annotation import MASK_NOTE
from scopewatch_training.dataset.checks.measures import SWAPPED_BELOW
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.record import Pair, group_by_run
from scopewatch_training.dataset.pairs.signal import FAINT_SHARE, FAINT_SIGMAS

MOST_TIMES: Final = 2.0
"""Largest ratio of a pair's brightness to its run's median, either way.

Clean pairs of twelve simulated runs have 0.88 to 1.13, of three strains of E. coli 0.72 to 1.34.
"""
_FEWEST: Final = 3
_KNEE_SIGMAS: Final = 15.0
_MOST_NAMED: Final = 5


def find_odd_exposures(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run with pairs that are much brighter or darker than its median.

    Runs of fewer than three pairs with signal are left out.
    """
    doubts = []
    for run, members in group_by_run(pairs).items():
        levels = {pair: level for pair in members if (level := brightness_of(pair)) is not None}
        if len(levels) < _FEWEST:
            continue
        median = float(np.median(list(levels.values())))
        odd = [
            (level / median, pair)
            for pair, level in levels.items()
            if not 1 / MOST_TIMES < level / median < MOST_TIMES
        ]
        if odd:
            doubts.append(_doubt(run, odd, len(levels)))
    return doubts


def brightness_of(pair: Pair) -> float | None:
    """Return the median signal of a pair's positive pixels by its own threshold, in counts.

    None for masks, for pairs without signal, and for pairs whose pictures seem to be swapped.
    """
    swapped = pair.role_score is not None and pair.role_score < SWAPPED_BELOW
    if swapped or pair.note.startswith(MASK_NOTE) or not pair.histogram.any():
        return None
    cut = max(
        histograms.otsu(pair.histogram, _KNEE_SIGMAS * max(pair.noise, 1e-6)),
        FAINT_SIGMAS * pair.noise,
    )
    above = np.where(cut < histograms.CENTRES, pair.histogram, 0)
    if above.sum() < FAINT_SHARE * pair.histogram.sum():
        return None
    return histograms.quantile(above, 0.5)


def _doubt(run: str, odd: Sequence[tuple[float, Pair]], count: int) -> Doubt:
    named = [f"{pair.plate}/{pair.well}/s{pair.site}: {times:.2g}" for times, pair in odd]
    more = ", ..." if len(named) > _MOST_NAMED else ""
    return Doubt(
        kind=DoubtKind.EXPOSURE,
        weight=Weight.LOOK,
        run=run,
        pair=None,
        measured=f"{len(odd)} of {count} pairs with cells that are this many times as bright as the"
        f" run's median: {', '.join(named[:_MOST_NAMED])}{more}",
        expected=f"{1 / MOST_TIMES:g} to {MOST_TIMES:g} times",
        do="expose and export all pairs of a run alike, or name each exposure a run of its own:"
        " one threshold is fitted to each run",
    )
