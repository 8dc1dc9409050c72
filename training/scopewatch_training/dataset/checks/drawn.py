"""Finds what is drawn or burnt into the fluorescence of a run: a scale bar, a text, dead pixels."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from scopewatch_training.dataset.checks.odd_pairs import doubt_odd_pairs
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.record import Pair

_FEWEST: Final = 2
_MOST_OF_FIELD: Final = 0.25


def find_drawn(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run in which the highest count is at the same place of many pairs."""
    drawn = drawn_pairs(pairs)
    return doubt_odd_pairs(pairs, lambda pair: pair.id in drawn, _doubt)


def drawn_pairs(pairs: Sequence[Pair]) -> set[str]:
    """Return the ids of pairs whose pixels at the highest count are where another pair has them.

    Cells lie elsewhere in each field. Pixels all over the field are cells that were clipped.
    """
    places = {pair.id: (pair.run, pair.light.top) for pair in pairs if _is_small(pair)}
    shared = Counter(places.values())
    return {name for name, place in places.items() if shared[place] >= _FEWEST}


def _is_small(pair: Pair) -> bool:
    top = pair.light.top
    if top is None or not pair.fluorescence_look.clipped:
        return False
    area = (top[1] - top[0] + 1) * (top[3] - top[2] + 1)
    return area <= _MOST_OF_FIELD * pair.height * pair.width


def _doubt(run: str, odd: Sequence[Pair], members: Sequence[Pair]) -> Doubt:
    top, _ = Counter(pair.light.top for pair in odd).most_common(1)[0]
    first, last, left, right = top or (0, 0, 0, 0)
    return Doubt(
        kind=DoubtKind.DRAWN,
        weight=Weight.LOOK,
        run=run,
        pair=None,
        measured=f"the highest count at the same place, rows {first} to {last}, columns {left} to"
        f" {right}, in {len(odd)} of {len(members)} pairs",
        expected="bright cells, which lie elsewhere in each field",
        do="export the camera's own frames without scale bar, text or overlay, or repair dead"
        " pixels: tiles there count as positive",
    )
