"""Finds what is drawn or burnt into the pictures of a run: a scale bar, a text, dead pixels."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Final

from scopewatch_training.dataset.annotation import MASK_NOTE
from scopewatch_training.dataset.checks.odd_pairs import doubt_odd_pairs
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.gaps import BORDER_NOTE
from scopewatch_training.dataset.pairs.record import Pair

Box = tuple[int, int, int, int]

MOST_ENCLOSED: Final = 0.5
"""Largest `Pair.enclosed` of clipped cells, and median of a run's masks; else they are lines."""
_FEWEST: Final = 2
_MOST_OF_FIELD: Final = 0.25


def find_drawn(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run in which the highest count is at the same place of many pairs."""
    drawn = drawn_pairs(pairs)
    return doubt_odd_pairs(
        pairs,
        lambda pair: pair.id in drawn,
        lambda run, odd, members: Doubt(
            kind=DoubtKind.DRAWN,
            weight=Weight.LOOK,
            run=run,
            pair=None,
            measured=_measured([pair.light.top for pair in odd if not has_lines(pair)], members)
            if not all(map(has_lines, odd))
            else f"thin lines at the highest count, in {len(odd)} of {len(members)} pairs",
            expected="bright cells, which lie elsewhere in each field and have an area",
            do="export the camera's own frames without scale bar, text or overlay, mosaics with"
            " black gaps, or repair dead pixels: tiles there count as positive",
        ),
    )


def find_drawn_into_phase(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run whose phase frames have their highest count at one place."""
    drawn = drawn_phases(pairs)
    return doubt_odd_pairs(
        pairs,
        lambda pair: pair.id in drawn,
        lambda run, odd, members: Doubt(
            kind=DoubtKind.DRAWN_PHASE,
            weight=Weight.LOOK,
            run=run,
            pair=None,
            measured=_measured([pair.phase_top for pair in odd], members),
            expected="the camera's own frames, as the daemon will see them",
            do="export them without scale bar, text or overlay: it hides cells, and what else is"
            " measured on these frames follows from it",
        ),
    )


def find_borders(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run with pictures that a border of one grey value surrounds."""
    return doubt_odd_pairs(
        pairs,
        lambda pair: BORDER_NOTE in pair.note,
        lambda run, odd, members: Doubt(
            kind=DoubtKind.BORDER,
            weight=Weight.LOOK,
            run=run,
            pair=None,
            measured=f"{len(odd)} of {len(members)} pairs, {odd[0]}:"
            f" {next(note for note in odd[0].note.split('; ') if BORDER_NOTE in note)}",
            expected="the camera's own frames, whose noise reaches their sides",
            do="export the frames themselves, not a window, a page or a figure that shows them",
        ),
    )


def drawn_pairs(pairs: Sequence[Pair]) -> set[str]:
    """Return the ids of pairs whose pixels at the highest count were drawn.

    They are where another pair of the run has them, or are lines that enclose an area. Cells lie
    elsewhere in each field. Pixels all over the field are cells that were clipped, unless there are
    exactly as many of them in another pair.
    """
    shared = _sharing(
        pairs, lambda pair: _places(pair, pair.light.top, pair.fluorescence_look.clipped)
    )
    return shared | {pair.id for pair in pairs if has_lines(pair)}


def drawn_phases(pairs: Sequence[Pair]) -> set[str]:
    """Return the ids of pairs whose phase frames share the place of their highest count."""
    return _sharing(pairs, lambda pair: _places(pair, pair.phase_top, pair.phase_look.clipped))


def has_lines(pair: Pair) -> bool:
    """Whether lines that enclose an area are drawn over the fluorescence; never of a mask."""
    lines = pair.enclosed > MOST_ENCLOSED and pair.fluorescence_look.clipped > 0
    return lines and not pair.note.startswith(MASK_NOTE)


def _sharing(pairs: Sequence[Pair], places_of: Callable[[Pair], Sequence[Hashable]]) -> set[str]:
    places = {pair.id: [(pair.run, each) for each in places_of(pair)] for pair in pairs}
    shared = Counter(place for found in places.values() for place in found)
    return {
        name for name, found in places.items() if any(shared[each] >= _FEWEST for each in found)
    }


def _places(pair: Pair, top: Box | None, clipped: float) -> Sequence[Hashable]:
    """Return what two pairs share into which the same was drawn; nothing for a pair without.

    A text that changes from frame to frame keeps its rows, and one of its sides.
    """
    if top is None or not clipped:
        return ()
    first, last, left, right = top
    if (last - first + 1) * (right - left + 1) > _MOST_OF_FIELD * pair.height * pair.width:
        return ((top, clipped),)
    return (("left", first, last, left), ("right", first, last, right))


def _measured(tops: Sequence[Box | None], members: Sequence[Pair]) -> str:
    top, _ = Counter(tops).most_common(1)[0]
    first, last, left, right = top or (0, 0, 0, 0)
    return (
        f"the highest count at the same place, rows {first} to {last}, columns {left} to {right},"
        f" in {len(tops)} of {len(members)} pairs"
    )
