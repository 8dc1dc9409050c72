"""Finds pairs whose pictures may not belong together: as they lie, by their sizes or pages."""

import re
from collections.abc import Sequence
from typing import Final

from scopewatch_training.dataset.checks.odd_pairs import doubt_odd_pairs
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.notes import BINNING_NOTE, MISFIT_NOTE
from scopewatch_training.dataset.pairs.placing import MOST_APART_PX
from scopewatch_training.dataset.pairs.record import Pair

_PAGE: Final = re.compile(r"(?s)(?P<file>.+)#page=(?P<page>\d+)")


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


def find_odd_binnings(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run with pairs of which no picture is a binning of the other."""
    return doubt_odd_pairs(pairs, lambda pair: BINNING_NOTE in pair.note, _doubt_binning)


def _doubt_binning(run: str, odd: Sequence[Pair], members: Sequence[Pair]) -> Doubt:
    sizes = next(note for note in odd[0].note.split("; ") if BINNING_NOTE in note)
    moved = sum(pair.moved_at_px is not None for pair in odd)
    return Doubt(
        kind=DoubtKind.UNRELATED,
        weight=Weight.LOOK,
        run=run,
        pair=None,
        measured=f"{len(odd)} of {len(members)} pairs, {odd[0]} {sizes}"
        + (f"; parts of {moved} of them lie beside their cells" if moved else ""),
        expected="one size, or a whole binning of it",
        do="export both channels uncropped; pictures of the whole field in other pixels fit as they"
        " are",
    )


def find_unequal_stacks(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run that takes the same pages of stacks of unequal length."""
    return doubt_odd_pairs(
        pairs,
        _has_unequal_stacks,
        lambda run, odd, members: Doubt(
            kind=DoubtKind.PAGES,
            weight=Weight.LOOK,
            run=run,
            pair=None,
            measured=f"{odd[0].pages[1]} pages of fluorescence and {odd[0].pages[0]} of phase"
            f" contrast, of which the same are taken in {len(odd)} of {len(members)} pairs",
            expected="pages of one moment",
            do="find the page that one file lacks: behind it, name the page of the same moment"
            " (#page=...); where it is the last, all fit",
        ),
    )


def _has_unequal_stacks(pair: Pair) -> bool:
    one, other = _PAGE.fullmatch(pair.phase), _PAGE.fullmatch(pair.fluorescence)
    if one is None or other is None or one["file"] == other["file"]:
        return False
    return one["page"] == other["page"] and pair.pages[0] != pair.pages[1]
