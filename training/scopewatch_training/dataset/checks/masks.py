"""Says which runs have masks in place of fluorescence, and where that does not fit."""

from collections.abc import Sequence

from scopewatch_training.dataset.annotation import MASK_NOTE
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.record import Pair, group_by_run
from scopewatch_training.dataset.prepared import Dataset


def find_masks(dataset: Dataset) -> list[Doubt]:
    """Return a note for each run of masks; a grave one where they cannot be labels as drawn.

    A threshold divides the two values of a mask only where it is Otsu's, and only in a run that
    has nothing but masks. A picture of one value is a mask without anything positive.
    """
    return [
        _doubt(run, pairs, masks, dataset.binarise.method)
        for run, pairs in group_by_run(dataset.accepted).items()
        if (masks := sum(pair.note.startswith(MASK_NOTE) for pair in pairs))
    ]


def _doubt(run: str, pairs: Sequence[Pair], masks: int, method: str) -> Doubt:
    wrong = ""
    blank = sum(not pair.fluorescence_look.mark for pair in pairs)
    if masks + blank < len(pairs):
        wrong = "give masks for all pairs of the run, or for none"
    elif method != "otsu":
        wrong = "prepare without --binarise: a mask has no threshold"
    return Doubt(
        kind=DoubtKind.MASK,
        weight=Weight.STOP if wrong else Weight.NOTE,
        run=run,
        pair=None,
        measured=f"{masks} of {len(pairs)} pairs, of two values or one value an object"
        + (f", and {blank} blank" if blank else ""),
        expected="fluorescence, or masks whose positive area is the label",
        do=wrong or "check that what is positive is so in the QC report: it is taken as drawn",
    )
