"""Finds phase frames that are coarser or finer than those of other runs, or of the rest of a run.

Another objective, a binning or scaling that nothing states, and frames out of focus look so. Where
no pixel size is stated, frames of another size may be of another scale, too.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from scopewatch_training.dataset.checks.drawn import drawn_phases
from scopewatch_training.dataset.checks.odd_pairs import doubt_odd_pairs
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.record import Pair, group_by_run

_TWO: Final = 2
_FEWEST_ALIKE: Final = 2
LEAST_GAP: Final = 0.4
"""Least gap between two groups of a run's frames, in `Look.fineness`."""
SPREADS_APART: Final = 3.0
"""Least gap in spreads of the wider group."""
MOST_APART: Final = 0.5
"""Largest distance of a run's median `Look.fineness` from the median of all runs.

Six simulated runs are within 0.2 of it and strains of E. coli within 0.1; frames of twice the size
are 0.8 away, blurred ones 1.3.
"""

FINER_WHERE_BINNED: Final = 0.2
"""The same for a run whose frames are half, a third or a quarter as large as most: a binning.

Binned 2 x 2, simulated runs are 0.5 to 1 finer, E. coli 0.1 to 0.3, neurons 0.6; their middle
parts, as a region of the camera is, differ by at most 0.1 and 0.2.
"""
_BINNINGS: Final = (2, 3, 4)


def find_odd_coarseness(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each such run; of two runs the second is compared with the first."""
    medians = {run: float(np.median(found)) for run, found in _fineness(pairs).items()}
    if len(medians) < _TWO:
        return []
    values = list(medians.values())
    usual = values[0] if len(values) == _TWO else float(np.median(values))
    doubts = []
    binned = _binned_runs(pairs)
    for run, fineness in medians.items():
        finer = run in binned and fineness - usual > FINER_WHERE_BINNED
        limit = FINER_WHERE_BINNED if finer else MOST_APART
        if abs(fineness - usual) > limit:
            doubts.append(
                Doubt(
                    kind=DoubtKind.COARSENESS,
                    weight=Weight.LOOK,
                    run=run,
                    pair=None,
                    measured=f"{'coarser' if fineness < usual else 'finer'} structure"
                    f" (fineness {fineness:.1f})"
                    + (f" in frames 1/{binned[run]} as wide as most" if finer else ""),
                    expected=f"within {limit:g} of {usual:.1f}, as the other runs",
                    do="look at its focus, objective, binning and um_per_px; of another scale"
                    " correct um_per_px and give --um-per-px",
                )
            )
    return doubts


def find_mixed_scales(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run whose phase frames fall into two groups, coarse and fine."""
    return [
        Doubt(
            kind=DoubtKind.MIXED_SCALES,
            weight=Weight.LOOK,
            run=run,
            pair=None,
            measured=f"{len(coarse)} pairs with a fineness of about {np.median(coarse):.1f} and"
            f" {len(fine)} with {np.median(fine):.1f}",
            expected="one objective, binning and focus",
            do="state um_per_px of each row and give --um-per-px if two microscopes took them; else"
            " look at their focus",
        )
        for run, found in _fineness(pairs).items()
        if (groups := _two_groups(found)) is not None
        for coarse, fine in (groups,)
    ]


def find_unstated_sizes(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run with frames of unusual size, where no pair's scale is known."""
    if any(pair.um_per_px is not None for pair in pairs):
        return []
    sizes = Counter(_size(pair) for pair in pairs)
    if len(sizes) < _TWO:
        return []
    usual, _ = sizes.most_common(1)[0]
    return doubt_odd_pairs(
        pairs,
        lambda pair: _size(pair) != usual,
        lambda run, odd, members: Doubt(
            kind=DoubtKind.SIZES,
            weight=Weight.LOOK,
            run=run,
            pair=None,
            measured=f"{odd[0].height} x {odd[0].width} px in {len(odd)} of {len(members)} pairs",
            expected=f"{usual[0]} x {usual[1]} px, as most",
            do="state um_per_px in the manifest: a frame that was binned or scaled shows cells of"
            " another size, a crop does not",
        ),
    )


def _binned_runs(pairs: Sequence[Pair]) -> dict[str, int]:
    """Return the runs all of whose frames have a size that is a binning of most frames'."""
    sizes = Counter(_size(pair) for pair in pairs)
    usual, _ = sizes.most_common(1)[0]
    if not all(usual):
        return {}
    return {
        run: binning
        for run, members in group_by_run(pairs).items()
        for binning in _BINNINGS
        if all(_size(pair) == (usual[0] // binning, usual[1] // binning) for pair in members)
    }


def _size(pair: Pair) -> tuple[int, int]:
    return min(pair.height, pair.width), max(pair.height, pair.width)


def _fineness(pairs: Sequence[Pair]) -> dict[str, list[float]]:
    """Return the fineness of the phase frames of each run; frames into which is drawn left out."""
    drawn = drawn_phases(pairs)
    judged = [pair for pair in pairs if pair.phase_look.mark and pair.id not in drawn]
    return {
        run: [pair.phase_look.fineness for pair in members]
        for run, members in group_by_run(judged).items()
    }


def _two_groups(values: Sequence[float]) -> tuple[list[float], list[float]] | None:
    """Divide values at their widest gap; None where the groups are small or not far apart."""
    ordered = sorted(values)
    gaps = np.diff(ordered)
    if len(ordered) < _TWO * _FEWEST_ALIKE:
        return None
    at = int(np.argmax(gaps)) + 1
    low, high = ordered[:at], ordered[at:]
    spread = max(low[-1] - low[0], high[-1] - high[0])
    apart = gaps[at - 1] > max(LEAST_GAP, SPREADS_APART * spread)
    return (low, high) if apart and min(len(low), len(high)) >= _FEWEST_ALIKE else None
