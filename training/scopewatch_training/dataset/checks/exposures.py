"""Finds pairs exposed unlike the run's other pairs, and fluorescence that is cut off at an end.

The pairs of a run share a threshold: where some were exposed otherwise, it is right for none of
both. Cells of one marker are about equally bright, however many there are.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from scopewatch.core.imaging import histogram as histograms
from scopewatch_training.dataset.annotation import MASK_NOTE
from scopewatch_training.dataset.checks.drawn import drawn_pairs
from scopewatch_training.dataset.checks.measures import SWAPPED_BELOW
from scopewatch_training.dataset.checks.odd_pairs import doubt_odd_pairs
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.record import Pair, group_by_run
from scopewatch_training.dataset.pairs.signal import FAINT_SHARE, FAINT_SIGMAS

MOST_TIMES: Final = 2.0
"""Largest ratio of a pair's brightness to its run's median, either way.

Clean pairs of twelve simulated runs have 0.88 to 1.13, of three strains of E. coli 0.72 to 1.34.
"""
CLIPPED_NOTE: Final = 1e-4
CLIPPED_LOOK: Final = 1e-3
MOST_AT_FLOOR: Final = 0.3
"""Share of the pixels at the lowest count from which on a clipped picture is cut off at both ends.

Of a camera's picture next to none has the lowest count; probability maps have half and more.
"""
MOST_AT_LOWEST: Final = 0.05
"""Share of the pixels at the lowest count from which on the background was cut off.

A camera's pictures have at most 0.00002; after a background was subtracted 0.1 to 0.75.
"""
_FEWEST: Final = 3
_KNEE_SIGMAS: Final = 15.0
_MOST_NAMED: Final = 5


def find_odd_exposures(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run with pairs that are much brighter or darker than its median.

    Runs of fewer than three pairs with signal are left out.
    """
    doubts = []
    for run, members in group_by_run(pairs).items():
        levels = {pair: level for pair in members if (level := brightness_of(pair)) is not None}
        if len(levels) < _FEWEST:
            continue
        median = float(np.median(list(levels.values())))
        odd = [
            (level / median, pair)
            for pair, level in levels.items()
            if not 1 / MOST_TIMES < level / median < MOST_TIMES
        ]
        if odd:
            doubts.append(_doubt(run, odd, len(levels)))
    return doubts


def brightness_of(pair: Pair) -> float | None:
    """Return the median signal of a pair's positive pixels by its own threshold, in counts.

    None for masks, for pairs without signal, and for pairs whose pictures seem to be swapped.
    """
    swapped = pair.role_score is not None and pair.role_score < SWAPPED_BELOW
    if swapped or pair.note.startswith(MASK_NOTE) or not pair.histogram.any():
        return None
    cut = max(
        histograms.otsu(pair.histogram, _KNEE_SIGMAS * max(pair.noise, 1e-6)),
        FAINT_SIGMAS * pair.noise,
    )
    above = np.where(cut < histograms.CENTRES, pair.histogram, 0)
    if above.sum() < FAINT_SHARE * pair.histogram.sum():
        return None
    return histograms.quantile(above, 0.5)


def _doubt(run: str, odd: Sequence[tuple[float, Pair]], count: int) -> Doubt:
    named = [f"{pair.plate}/{pair.well}/s{pair.site}: {times:.2g}" for times, pair in odd]
    more = ", ..." if len(named) > _MOST_NAMED else ""
    return Doubt(
        kind=DoubtKind.EXPOSURE,
        weight=Weight.LOOK,
        run=run,
        pair=None,
        measured=f"{len(odd)} of {count} pairs with cells that are this many times as bright as the"
        f" run's median: {', '.join(named[:_MOST_NAMED])}{more}",
        expected=f"{1 / MOST_TIMES:g} to {MOST_TIMES:g} times",
        do="expose and export all pairs of a run alike, or name each exposure a run of its own:"
        " one threshold is fitted to each run",
    )


def find_cut_off(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run with pictures cut off at both ends, as probability maps are."""
    return doubt_odd_pairs(
        pairs,
        _is_cut_off,
        lambda run, odd, members: Doubt(
            kind=DoubtKind.CUT_OFF,
            weight=Weight.LOOK,
            run=run,
            pair=None,
            measured=f"{max(each.light.floor for each in odd):.0%} of the pixels at the lowest and"
            f" {max(each.fluorescence_look.clipped for each in odd):.1%} at the highest count, in"
            f" {len(odd)} of {len(members)} pairs",
            expected="the camera's own picture, or a mask of two values",
            do="cut a probability map (Ilastik, Cellpose) at its threshold and give the mask; save"
            " masks as TIFF or PNG, not as JPEG; else export without stretching the contrast",
        ),
    )


def _is_cut_off(pair: Pair) -> bool:
    clipped = pair.fluorescence_look.clipped >= CLIPPED_LOOK
    return clipped and pair.light.floor >= MOST_AT_FLOOR


def find_cut_off_background(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run with pictures of which a part lies at the lowest count."""
    return doubt_odd_pairs(
        pairs,
        lambda pair: (
            pair.light.floor >= MOST_AT_LOWEST
            and not _is_cut_off(pair)
            and not pair.note.startswith(MASK_NOTE)
        ),
        lambda run, odd, members: Doubt(
            kind=DoubtKind.FLOOR,
            weight=Weight.LOOK,
            run=run,
            pair=None,
            measured=f"up to {max(each.light.floor for each in odd):.0%} of the pixels at the"
            f" lowest count, in {len(odd)} of {len(members)} pairs",
            expected=f"less than {MOST_AT_LOWEST:.0%}: the camera's own noise",
            do="export the camera's own counts in 16 bits, without subtracting a background or"
            " stretching the contrast: noise, threshold and stray light cannot be measured so",
        ),
    )


def find_clipped(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each pair whose fluorescence reaches the camera's maximum.

    Pairs with less than a thousandth of their pixels there are one note for each run. Pictures that
    are cut off at both ends, or into which something is drawn, have doubts of their own.
    """
    doubts = []
    drawn = drawn_pairs(pairs)
    alone = [pair for pair in pairs if pair.id not in drawn and not _is_cut_off(pair)]
    for run, members in group_by_run(alone).items():
        clipped = [pair for pair in members if pair.fluorescence_look.clipped >= CLIPPED_LOOK]
        doubts += [
            _clipped(run, pair, f"{pair.fluorescence_look.clipped:.2%} of the pixels")
            for pair in clipped
        ]
        few = [
            pair
            for pair in members
            if CLIPPED_NOTE <= pair.fluorescence_look.clipped < CLIPPED_LOOK
        ]
        if few:
            most = max(pair.fluorescence_look.clipped for pair in few)
            doubts.append(_clipped(run, None, f"{len(few)} pairs, up to {most:.2%} of the pixels"))
    return doubts


def _clipped(run: str, pair: Pair | None, measured: str) -> Doubt:
    return Doubt(
        kind=DoubtKind.CLIPPED,
        weight=Weight.NOTE if pair is None else Weight.LOOK,
        run=run,
        pair=None if pair is None else pair.phase,
        place="" if pair is None else pair.place,
        measured=measured,
        expected=f"less than {CLIPPED_LOOK:.1%}",
        do="expose shorter, or export without stretching the contrast: labels are too high",
    )
