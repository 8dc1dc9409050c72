"""Finds pairs that were not to be registered, and whose pictures do not fit as they lie."""

from collections.abc import Sequence

from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.process import MISFIT_NOTE, MOST_APART_PX
from scopewatch_training.dataset.pairs.record import Pair, group_by_run


def find_unrelated(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run with such pairs; grave where they are half of it or more."""
    doubts = []
    for run, members in group_by_run(pairs).items():
        odd = [pair for pair in members if MISFIT_NOTE in pair.note]
        if odd:
            _, _, where = odd[0].note.partition(MISFIT_NOTE)
            doubts.append(
                Doubt(
                    kind=DoubtKind.UNRELATED,
                    weight=Weight.STOP if 2 * len(odd) >= len(members) else Weight.LOOK,
                    run=run,
                    pair=None,
                    measured=f"{len(odd)} of {len(members)} pairs, {odd[0]} fits{where}",
                    expected=f"cells of both within {MOST_APART_PX:g} px",
                    do="prepare without --no-register, or correct which pictures belong together",
                )
            )
    return doubts
