"""Finds runs of which many pairs were refused, and data sets with too few wells to judge by."""

from collections.abc import Sequence
from typing import Final

from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.record import Pair, group_by_run

MANY: Final = 0.25
_FEW_WELLS: Final = 4
_FEWEST: Final = 2


def find_many_refused(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run of which a quarter of the pairs, and two at least, were refused.

    Runs of which every pair was refused have a doubt of their own.
    """
    doubts = []
    for run, members in group_by_run(pairs).items():
        reasons = [pair.refused for pair in members if pair.refused is not None]
        few = len(reasons) < max(_FEWEST, MANY * len(members))
        if few or len(reasons) == len(members):
            continue
        doubts.append(
            Doubt(
                kind=DoubtKind.MANY_REFUSED,
                weight=Weight.LOOK,
                run=run,
                pair=None,
                measured=f"{len(reasons)} of {len(members)} refused, the first: {reasons[0]}",
                expected=f"less than {MANY:.0%} of them",
                do="correct what refused pairs have in common: those that passed may have passed by"
                " chance, and weak wells are refused first",
            )
        )
    return doubts


def find_few(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt where less than four wells can be used; grave where there is one."""
    wells = list(dict.fromkeys(pair.group for pair in pairs))
    if not wells or len(wells) >= _FEW_WELLS:
        return []
    return [
        Doubt(
            kind=DoubtKind.FEW,
            weight=Weight.STOP if len(wells) == 1 else Weight.LOOK,
            run=pairs[0].run,
            pair=None,
            measured=f"{len(wells)} in all: {', '.join(wells)}",
            expected=f"at least {_FEW_WELLS}, better a dozen in each of five runs",
            do="add wells and runs: a model needs others to be judged on than it is trained on",
        )
    ]
