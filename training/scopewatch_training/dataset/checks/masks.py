"""Says which runs have masks in place of fluorescence, and where that does not fit."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from scopewatch.core.imaging import histogram as histograms
from scopewatch_training.dataset.annotation import MASK_NOTE, POSITIVE_COUNTS
from scopewatch_training.dataset.checks.drawn import MOST_ENCLOSED
from scopewatch_training.dataset.checks.odd_pairs import doubt_odd_pairs
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.notes import LOOSE_NOTE
from scopewatch_training.dataset.pairs.record import Pair, group_by_run
from scopewatch_training.dataset.prepared import Dataset

MOST_POSITIVE: Final = 0.5
"""Median positive share of a run's masks above which they may be inverted."""
_FEWEST_SURE: Final = 2
_FULL_DO: Final = (
    "look whether cells are the dark value: the higher value counts as positive, so invert the"
    " masks where it is the ground"
)


def find_masks(dataset: Dataset) -> list[Doubt]:
    """Return a note for each run of masks; a grave one where they cannot be labels as drawn.

    A threshold divides the two values of a mask only where it is Otsu's, and only in a run that
    has nothing but masks. A picture of one value is a mask without anything positive.
    """
    return [
        _doubt(run, pairs, masks, dataset.binarise.method)
        for run, pairs in group_by_run(dataset.accepted).items()
        if (masks := sum(_is_mask(pair) for pair in pairs))
    ]


def find_outlines(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run whose masks are outlines of regions that were not filled."""
    return [
        Doubt(
            kind=DoubtKind.OUTLINES,
            weight=Weight.LOOK,
            run=run,
            pair=None,
            measured=f"thin lines that enclose {median:.1f} times their own area",
            expected="filled regions",
            do="fill them (ImageJ: Process > Binary > Fill Holes, or Edit > Selection > Create Mask"
            " of the regions): only the lines count as positive",
        )
        for run, members in group_by_run(pairs).items()
        if (masks := [pair for pair in members if _is_mask(pair)])
        and (median := float(np.median([pair.enclosed for pair in masks]))) > MOST_ENCLOSED
    ]


def find_loose_masks(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run with masks that fit nowhere, where most masks of others fit.

    Masks of dense cultures often fit at no shift, though they are right: where no mask of the
    data set fits, nothing can be concluded.
    """
    loose = {pair.id for pair in pairs if _is_mask(pair) and LOOSE_NOTE in pair.note}
    sure = sum(_is_mask(pair) and pair.registered for pair in pairs)
    return doubt_odd_pairs(
        pairs,
        lambda pair: pair.id in loose and sure >= _FEWEST_SURE,
        lambda run, odd, members: Doubt(
            kind=DoubtKind.LOOSE_MASKS,
            weight=Weight.LOOK,
            run=run,
            pair=None,
            measured=f"{len(odd)} of {len(members)} pairs at no shift, {odd[0]} the first",
            expected=f"cells where the phase frame has them, as of {sure} other pairs",
            do="look at both pictures of each: masks that were exchanged, turned or cropped label"
            " other cells",
        ),
    )


def _is_mask(pair: Pair) -> bool:
    return pair.note.startswith(MASK_NOTE)


def _doubt(run: str, pairs: Sequence[Pair], masks: int, method: str) -> Doubt:
    wrong = ""
    blank = sum(not pair.fluorescence_look.mark for pair in pairs)
    if masks + blank < len(pairs):
        wrong = "give masks for all pairs of the run, or for none"
    elif method != "otsu":
        wrong = "prepare without --binarise: a mask has no threshold"
    loose = sum(LOOSE_NOTE in pair.note for pair in pairs)
    full = not wrong and _most_share(pairs) > MOST_POSITIVE
    return Doubt(
        kind=DoubtKind.MASK,
        weight=Weight.STOP if wrong else Weight.LOOK if full else Weight.NOTE,
        run=run,
        pair=None,
        measured=f"{masks} of {len(pairs)} pairs, of two values or one value an object"
        + (f", half of them with {_most_share(pairs):.0%} of their area positive" if full else "")
        + (f", and {blank} blank" if blank else "")
        + (f"; {loose} fit their phase frame at no shift" if loose else ""),
        expected="fluorescence, or masks whose positive area is the label",
        do=wrong
        or (full and _FULL_DO)
        or "check that what is positive is so in the QC report: it is taken as drawn",
    )


def _most_share(pairs: Sequence[Pair]) -> float:
    """Return the median positive share of a run's masks."""
    positive = histograms.CENTRES > POSITIVE_COUNTS / 2
    shares = [
        float(pair.histogram[positive].sum()) / max(int(pair.histogram.sum()), 1)
        for pair in pairs
        if _is_mask(pair)
    ]
    return float(np.median(shares)) if shares else 0.0
