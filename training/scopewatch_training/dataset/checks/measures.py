"""Checks of what was measured on each pair: channels, offsets, pixel size."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from scopewatch_training.dataset.checks.drawn import drawn_phases
from scopewatch_training.dataset.checks.odd_pairs import doubt_odd_pairs
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.notes import BINNING_NOTE
from scopewatch_training.dataset.pairs.record import Pair, group_by_run

SWAPPED_BELOW: Final = -0.45
"""Limit of the role score, whose sign changes where the pictures are swapped.

Half of the least score of true pairs (0.9, over E. coli, simulated and made-up cells), below 0.
"""
LEAST_OFFSET_PX: Final = 3.0
SPREADS: Final = 6.0
_FEWEST: Final = 4
PLAUSIBLE_UM: Final = (0.02, 20.0)
_SAME_SCALE: Final = 0.02


def find_swapped(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each pair whose pictures look like each other's channel.

    What is drawn into a phase frame looks like a bright cell there; it has a doubt of its own.
    """
    drawn = drawn_phases(pairs)
    return [
        Doubt(
            kind=DoubtKind.SWAPPED,
            weight=Weight.STOP,
            run=pair.run,
            pair=pair.phase,
            place=pair.place,
            measured=f"role score {pair.role_score:.2f}",
            expected=f"above {SWAPPED_BELOW:g}",
            do="look at both files; swap the columns phase and fluorescence where they are wrong",
        )
        for pair in pairs
        if pair.role_score is not None and pair.role_score < SWAPPED_BELOW and pair.id not in drawn
    ]


def find_odd_offsets(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each pair whose offset is far from the median of its run.

    The limit is 3 px or six robust standard deviations of the run, whichever is more; runs of
    fewer than four registered pairs have no limit. A run whose offsets scatter by more than 3 px
    is one doubt.
    """
    doubts = []
    for run, members in group_by_run(pairs).items():
        measured = [pair for pair in members if pair.registered]
        if len(measured) < _FEWEST:
            continue
        offsets = np.array([pair.offset_px for pair in measured])
        far = np.hypot(*(offsets - np.median(offsets, axis=0)).T)
        spread = 1.4826 * float(np.median(far))
        limit = max(LEAST_OFFSET_PX, SPREADS * spread)
        do = "look at both pictures: the cells or the stage moved between them, or they are no pair"
        if spread > LEAST_OFFSET_PX:
            doubts.append(
                Doubt(
                    kind=DoubtKind.OFFSET,
                    weight=Weight.LOOK,
                    run=run,
                    pair=None,
                    measured=f"offsets that scatter by {spread:.1f} px",
                    expected=f"within {LEAST_OFFSET_PX:g} px",
                    do=do,
                )
            )
        doubts += [
            Doubt(
                kind=DoubtKind.OFFSET,
                weight=Weight.LOOK,
                run=run,
                pair=pair.phase,
                place=pair.place,
                measured=f"{distance:.1f} px from the run's median",
                expected=f"within {limit:.1f} px",
                do=do,
            )
            for pair, distance in zip(measured, far, strict=True)
            if distance > limit
        ]
    return doubts


def find_moved_cells(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each pair in which the offset differs from place to place.

    The measure and its limit are in `local_offsets`. Pairs of odd sizes have a doubt of their own.
    """
    return [
        Doubt(
            kind=DoubtKind.MOVED,
            weight=Weight.LOOK,
            run=pair.run,
            pair=pair.phase,
            place=pair.place,
            measured=f"local offsets that differ by up to {pair.moved_px:.0f} px from the frame's,"
            f" at row {pair.moved_at_px[0]}, column {pair.moved_at_px[1]}",
            expected="one offset for the whole frame",
            do="look at both pictures there: cells moved between them; drop the pair if labels lie"
            " beside cells, and take both channels within seconds",
        )
        for pair in pairs
        if pair.moved_at_px is not None and BINNING_NOTE not in pair.note
    ]


def find_odd_scales(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run with a pixel size that no microscope for cells has."""
    low, high = PLAUSIBLE_UM
    doubts = []
    for run, members in group_by_run(pairs).items():
        odd = [p for p in members if p.um_per_px is not None and not low <= p.um_per_px <= high]
        if odd:
            doubts.append(
                Doubt(
                    kind=DoubtKind.SCALE,
                    weight=Weight.STOP,
                    run=run,
                    pair=odd[0].phase,
                    place=odd[0].place,
                    measured=f"{odd[0].um_per_px:g} um/px",
                    expected=f"{low:g} to {high:g} um/px",
                    do="give um_per_px in micrometres, not in nm or mm",
                )
            )
    return doubts


def find_other_scales(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run whose manifest states another pixel size than its files."""
    return doubt_odd_pairs(
        pairs,
        lambda pair: abs(pair.scale_ratio - 1) > _SAME_SCALE,
        lambda run, odd, members: Doubt(
            kind=DoubtKind.OTHER_SCALE,
            weight=Weight.LOOK,
            run=run,
            pair=None,
            measured=f"{odd[0].scale_ratio:.3g} times the size in the phase files,"
            f" in {len(odd)} of {len(members)} pairs",
            expected="one size in both, in um of a pixel of the frame as it was saved",
            do="correct um_per_px (objective, binning, a picture that was scaled), or leave"
            " it empty; where the files are wrong, state the same um_per_px in config.yaml",
        ),
    )
