"""Finds pairs that were not to be registered, and whose pictures do not fit as they lie."""

from collections.abc import Sequence

from scopewatch_training.dataset.checks.odd_pairs import doubt_odd_pairs
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.process import MISFIT_NOTE, MOST_APART_PX
from scopewatch_training.dataset.pairs.record import Pair


def find_unrelated(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run with such pairs; grave where they are half of it or more."""
    return doubt_odd_pairs(pairs, lambda pair: MISFIT_NOTE in pair.note, _doubt)


def _doubt(run: str, odd: Sequence[Pair], members: Sequence[Pair]) -> Doubt:
    _, _, where = odd[0].note.partition(MISFIT_NOTE)
    return Doubt(
        kind=DoubtKind.UNRELATED,
        weight=Weight.STOP if 2 * len(odd) >= len(members) else Weight.LOOK,
        run=run,
        pair=None,
        measured=f"{len(odd)} of {len(members)} pairs, {odd[0]} fits{where}",
        expected=f"cells of both within {MOST_APART_PX:g} px",
        do="prepare without --no-register, or correct which pictures belong together",
    )
