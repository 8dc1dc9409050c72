"""One doubt for each run that has odd pairs."""

from collections.abc import Callable, Sequence

from scopewatch_training.dataset.doubts import Doubt
from scopewatch_training.dataset.pairs.record import Pair, group_by_run


def doubt_odd_pairs(
    pairs: Sequence[Pair],
    is_odd: Callable[[Pair], bool],
    doubt: Callable[[str, Sequence[Pair], Sequence[Pair]], Doubt],
) -> list[Doubt]:
    """Return a doubt for each run with odd pairs.

    Parameters
    ----------
    doubt
        Makes it of the run, its odd pairs, and all its pairs.
    """
    return [
        doubt(run, odd, members)
        for run, members in group_by_run(pairs).items()
        if (odd := [pair for pair in members if is_odd(pair)])
    ]
