"""Checks of the light in the fluorescence: inverted, mixed with phase contrast, or none."""

from collections.abc import Sequence
from typing import Final

from scopewatch.core.imaging import histogram as histograms
from scopewatch_training.dataset.annotation import MASK_NOTE
from scopewatch_training.dataset.checks.odd_pairs import doubt_odd_pairs
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.looks import LEAST_GRAIN
from scopewatch_training.dataset.pairs.record import Pair, group_by_run
from scopewatch_training.dataset.pairs.signal import FAINT_SHARE, FAINT_SIGMAS

NOISE_FALLS: Final = -0.5
"""Limit of `Brightness.noise_rise`.

Fluorescence with signal has at least 0.2 over E. coli, neurons, simulated cells and exports of them
in 8 bits and JPEG; inverted it has at most -0.7, but for JPEGs of few cells, where both are 0.
"""
_CLEAR_SKEW: Final = -2.0
SHOWS_THROUGH: Final = 0.5
"""Limit of `Pair.see_through`.

True pairs of E. coli, neurons and simulated cells have at most 0.21; with a tenth of the phase
frame's contrast added at least 0.51.
"""
_DARKER: Final = 0.8
_MOST_NAMED: Final = 5


def find_inverted_fluorescence(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run with pairs whose fluorescence is dark where cells glow."""
    return doubt_odd_pairs(
        pairs,
        _is_inverted,
        lambda run, odd, members: Doubt(
            kind=DoubtKind.INVERTED_MARKER,
            weight=Weight.STOP if 2 * len(odd) >= len(members) else Weight.LOOK,
            run=run,
            pair=None,
            measured=f"dark things on a bright ground in {_count(odd, members)}",
            expected="bright cells on a dark ground, as a camera takes them",
            do="export the camera's own frames: an inverted look-up table or Edit > Invert turns"
            " positive into negative",
        ),
    )


def find_see_through(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run with pairs in whose fluorescence the phase frame shows."""
    return doubt_odd_pairs(
        pairs,
        lambda pair: pair.see_through >= SHOWS_THROUGH,
        lambda run, odd, members: Doubt(
            kind=DoubtKind.SEE_THROUGH,
            weight=Weight.LOOK,
            run=run,
            pair=None,
            measured=f"a correlation of up to {max(pair.see_through for pair in odd):.2f} where"
            f" no marker is, in {_count(odd, members)}",
            expected=f"below {SHOWS_THROUGH:g}",
            do="take or export the fluorescence alone: the lamp was on, a filter leaks, or the"
            " channels were merged; labels follow the phase contrast",
        ),
    )


def find_blank(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a note on pairs without signal in runs that have some with it.

    It is grave where their picture is darker than the background of all others: no light came.
    """
    doubts = []
    for run, members in group_by_run(pairs).items():
        judged = [pair for pair in members if not _is_mask(pair)]
        blank = [pair for pair in judged if _is_blank(pair)]
        lit = [pair.light.dark for pair in judged if not _is_blank(pair)]
        if not blank or not lit:
            continue
        unlit = [pair for pair in blank if pair.light.median < _DARKER * min(lit)]
        rest = [pair for pair in blank if pair not in unlit]
        if unlit:
            level = max(pair.light.median for pair in unlit)
            doubts.append(
                Doubt(
                    kind=DoubtKind.BLANK,
                    weight=Weight.LOOK,
                    run=run,
                    pair=None,
                    measured=f"{level:.0f} counts in {_count(unlit, judged)}",
                    expected=f"a background of {min(lit):.0f} counts or more, as its other pairs",
                    do="take them out of the manifest, or drop them in review, if the shutter was"
                    " closed or the lamp off: all their tiles count as negative",
                )
            )
        if rest:
            doubts.append(
                Doubt(
                    kind=DoubtKind.BLANK,
                    weight=Weight.NOTE,
                    run=run,
                    pair=None,
                    measured=f"nothing above the camera's noise in {_count(rest, judged)}",
                    expected="signal, or wells without reporter or stain",
                    do="drop them in review if the marker should be there: all their tiles count as"
                    " negative",
                )
            )
    return doubts


def _is_inverted(pair: Pair) -> bool:
    look, rise = pair.fluorescence_look, pair.light.noise_rise
    if rise is None or look.grain < LEAST_GRAIN or look.skewness >= 0 or _is_mask(pair):
        return False
    return rise <= NOISE_FALLS or (rise <= 0 and look.skewness <= _CLEAR_SKEW)


def _is_mask(pair: Pair) -> bool:
    return pair.note.startswith(MASK_NOTE)


def _is_blank(pair: Pair) -> bool:
    bright = pair.histogram[FAINT_SIGMAS * pair.noise < histograms.CENTRES].sum()
    return bool(bright < FAINT_SHARE * max(int(pair.histogram.sum()), 1))


def _count(odd: Sequence[Pair], members: Sequence[Pair]) -> str:
    """Return how many pairs are meant, and the places of the first few."""
    places = [f"{pair.plate}/{pair.well}/s{pair.site}" for pair in odd]
    more = ", ..." if len(places) > _MOST_NAMED else ""
    return f"{len(odd)} of {len(members)} pairs: {', '.join(places[:_MOST_NAMED])}{more}"
