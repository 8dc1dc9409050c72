"""Runs all checks over the pairs of a data set."""

from collections.abc import Sequence

from scopewatch_training.dataset.checks.copies import find_copies
from scopewatch_training.dataset.checks.measures import (
    find_clipped,
    find_odd_offsets,
    find_odd_scales,
    find_swapped,
)
from scopewatch_training.dataset.checks.names import find_twin_names
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.prepared import Pair


def find_doubts(pairs: Sequence[Pair]) -> tuple[Doubt, ...]:
    """Return all doubts about the pairs of a data set, the gravest first.

    Parameters
    ----------
    pairs
        All pairs; refused ones count for their names only.
    """
    used = [pair for pair in pairs if pair.refused is None]
    doubts = [
        *find_twin_names(pairs),
        *find_swapped(used),
        *find_copies(used),
        *find_odd_scales(used),
        *find_odd_offsets(used),
        *find_clipped(used),
        *_one_run(used),
    ]
    return tuple(sorted(doubts, key=lambda doubt: -doubt.weight))


def _one_run(pairs: Sequence[Pair]) -> list[Doubt]:
    runs = {pair.run for pair in pairs}
    if len(runs) != 1:
        return []
    return [
        Doubt(
            kind=DoubtKind.ONE_RUN,
            weight=Weight.NOTE,
            run=min(runs),
            pair=None,
            measured="1 run",
            expected="at least 2, better 5",
            do="add runs: nothing measured on one run says how a model does on another",
        )
    ]
