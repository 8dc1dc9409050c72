"""Finds runs whose fluorescence looks like a stain of all nuclei, unlike that of the other runs.

A marker that some cells have makes patches; nuclei are small spots at even distances in every
field. The share of positive tiles does not separate the two, since a run may differentiate well.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.record import Pair, group_by_run

TIMES_AS_EVEN: Final = 1.65
"""Least ratio of a run's evenness to the other runs' median.

Runs of the marker differ from the others' median by at most a factor of 1.1, over simulated runs
and strains of E. coli. Simulated nuclei of 10 px have 3.5 times the marker's evenness, of 20 px
2.2 times; of 30 px 1.5 times, and real nuclei of 24 px beside neurites no more than these.
"""
LEAST_LIT: Final = 0.85
"""Least share of each field in which nuclei show signal."""
_FIELDS: Final = 10
"""Percentile over the fields of a run that has to be lit so: one poor field does not count."""
_FEWEST: Final = 2


def find_odd_stains(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run that is lit everywhere by much evener spots than the others.

    Runs of fewer than two pairs with structure in their fluorescence are left out.
    """
    evenness, lit = {}, {}
    for run, members in group_by_run(pairs).items():
        shown = [each for each in members if each.lit and each.fluorescence_look.evenness]
        if len(shown) >= _FEWEST:
            evenness[run] = float(np.median([each.fluorescence_look.evenness for each in shown]))
            lit[run] = float(np.percentile([each.lit for each in members], _FIELDS))
    doubts = []
    for run, own in evenness.items():
        others = [each for name, each in evenness.items() if name != run]
        usual = float(np.median(others)) if others else own
        if lit[run] >= LEAST_LIT and own >= TIMES_AS_EVEN * usual:
            doubts.append(
                Doubt(
                    kind=DoubtKind.STAIN,
                    weight=Weight.LOOK,
                    run=run,
                    pair=None,
                    measured=f"small spots over at least {lit[run]:.0%} of each field, evenness"
                    f" {own:.2f}",
                    expected=f"as the other runs, evenness below {TIMES_AS_EVEN * usual:.2f}",
                    do="look at its fluorescence: where it is a nuclear stain (DAPI, Hoechst), name"
                    " the files or the channel of the marker",
                )
            )
    return doubts
