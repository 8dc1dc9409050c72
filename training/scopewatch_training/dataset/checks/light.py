"""Checks of the light in the fluorescence: inverted, mixed with phase contrast, or none."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from scopewatch.core.errors import FrameError
from scopewatch.core.imaging import histogram as histograms
from scopewatch_training.dataset.annotation import MASK_NOTE, read_fluorescence
from scopewatch_training.dataset.checks.drawn import drawn_pairs
from scopewatch_training.dataset.checks.odd_pairs import doubt_odd_pairs
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.looks import LEAST_GRAIN
from scopewatch_training.dataset.pairs.record import Pair, group_by_run
from scopewatch_training.dataset.pairs.shared_noise import measure_shared_noise
from scopewatch_training.dataset.pairs.signal import FAINT_SHARE, FAINT_SIGMAS
from scopewatch_training.dataset.pictures import PictureRef, read_picture

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
SHARED: Final = 0.06
"""Median of a run's pairs from which on they share their noise.

Runs of E. coli, neurons and simulated cells have at most 0.01, also saved in 8 bits, as JPEG,
sharpened or enlarged, and 0.04 where they are inverted and halved without averaging. With the
fluorescence merged into the phase frame, saved in grey and 8 bits, runs of E. coli have 0.08 to
0.2, simulated ones 0.18 to 0.7.
"""
_FIXED: Final = 0.5
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


def find_merged(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run whose pairs share their noise; reads two pairs of such a run.

    A pattern of the camera is in all of its pictures: what a phase frame shares with the
    fluorescence of another pair is no mixture. What is drawn into pictures has a doubt of its own.
    """
    doubts = []
    drawn = drawn_pairs(pairs)
    for run, members in group_by_run([pair for pair in pairs if pair.id not in drawn]).items():
        shared = float(np.median([pair.shared_noise for pair in members]))
        if shared < SHARED or _of_the_camera(members) >= _FIXED * shared:
            continue
        named = sum(pair.shared_noise >= SHARED for pair in members)
        doubts.append(
            Doubt(
                kind=DoubtKind.MERGED,
                weight=Weight.STOP,
                run=run,
                pair=None,
                measured=f"a correlation of {shared:.2f} in {named} of {len(members)} pairs",
                expected=f"below {SHARED:g}: each exposure has noise of its own",
                do="export each channel alone, not a merged picture or an overlay in grey: the"
                " network would read the marker in the phase frame",
            )
        )
    return doubts


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


def _of_the_camera(members: Sequence[Pair]) -> float:
    """Return the noise that the phase frame of one pair shares with another pair; 0 if unknown."""
    brightest = sorted(members, key=lambda pair: pair.shared_noise)[-2:]
    if len(brightest) < 2:
        return 0.0
    one, other = brightest
    try:
        phase = read_picture(PictureRef.parse(Path(), one.phase)).pixels
        glow = read_fluorescence(PictureRef.parse(Path(), other.fluorescence))[0].pixels
    except FrameError:
        # The pictures went away meanwhile: what the pairs measured stays.
        return 0.0
    return measure_shared_noise(phase, glow)


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
