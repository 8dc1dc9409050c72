"""Finds runs whose phase frames are coarser or finer than those of the other runs.

Another objective, a binning or scaling that nothing states, and frames out of focus look so.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.record import Pair, group_by_run

_TWO: Final = 2
MOST_APART: Final = 0.5
"""Largest distance of a run's median `Look.fineness` from the median of all runs.

Six simulated runs are within 0.2 of it and strains of E. coli within 0.1; frames of twice the size
are 0.8 away, blurred ones 1.3.
"""


def find_odd_coarseness(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each such run; of two runs the second is compared with the first."""
    medians = {
        run: float(np.median(found))
        for run, members in group_by_run(pairs).items()
        if (found := [pair.phase_look.fineness for pair in members if pair.phase_look.mark])
    }
    if len(medians) < _TWO:
        return []
    values = list(medians.values())
    usual = values[0] if len(values) == _TWO else float(np.median(values))
    doubts = []
    for run, fineness in medians.items():
        if abs(fineness - usual) > MOST_APART:
            doubts.append(
                Doubt(
                    kind=DoubtKind.COARSENESS,
                    weight=Weight.LOOK,
                    run=run,
                    pair=None,
                    measured=f"{'coarser' if fineness < usual else 'finer'} structure"
                    f" (fineness {fineness:.1f})",
                    expected=f"within {MOST_APART:g} of {usual:.1f}, as the other runs",
                    do="look at its focus, objective, binning and um_per_px; of another scale"
                    " correct um_per_px and give --um-per-px",
                )
            )
    return doubts
