"""Finds runs unlike the others: none of their pairs is used, days in hours, inverted contrast."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from scopewatch_training.dataset.checks.drawn import drawn_phases
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.record import Pair, group_by_run

LAST_DAY: Final = 150.0
_TIMES_LATER: Final = 5.0
_LEAST_HOURS: Final = 48.0
_DATES_FROM: Final = 20_000.0
"""Days from which a number is a date as spreadsheets count it, from 1900."""
LEAST_SKEW: Final = 1.0
"""Least median skewness of a run whose contrast is judged.

Runs of E. coli have -1.8 to -3.3 and of made-up cells -2.8; simulated ones, within 0.4 of 0, say
nothing.
"""


def find_lost_runs(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run of which every pair was refused."""
    return [
        Doubt(
            kind=DoubtKind.LOST_RUN,
            weight=Weight.LOOK,
            run=run,
            pair=None,
            measured=f"{len(members)} of {len(members)} refused, the first: {members[0].refused}",
            expected="some pairs of each run",
            do="correct its pictures, or take the run out of the manifest",
        )
        for run, members in group_by_run(pairs).items()
        if all(pair.refused is not None for pair in members)
    ]


def find_odd_days(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run whose last day is that of no differentiation, or of no other run.

    Days are odd above 150, and from 48 where they are five times those of the other runs.
    """
    last = {
        run: max(days)
        for run, members in group_by_run(pairs).items()
        if (days := [pair.day for pair in members if pair.day is not None])
    }
    doubts = []
    for run, day in last.items():
        others = [each for name, each in last.items() if name != run]
        usual = float(np.median(others)) if others else LAST_DAY
        limit = min(LAST_DAY, max(_TIMES_LATER * usual, _LEAST_HOURS))
        if day > limit:
            doubts.append(
                Doubt(
                    kind=DoubtKind.DAY,
                    weight=Weight.LOOK,
                    run=run,
                    pair=None,
                    measured=f"day {day:g}",
                    expected=f"up to day {limit:g}"
                    + (f", as the other runs end at day {usual:g}" if others else ""),
                    do="write days since the differentiation began, not"
                    f" {'dates' if day > _DATES_FROM else 'hours'}, in column day",
                )
            )
    return doubts


def find_inverted(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run whose phase frames are bright where those of most are dark.

    Where they are as many, the first run counts as usual. Frames into which something is drawn
    are not judged.
    """
    drawn = drawn_phases(pairs)
    skews = {
        run: float(np.median([pair.phase_look.skewness for pair in members]))
        for run, members in group_by_run(p for p in pairs if p.id not in drawn).items()
    }
    clear = {run: skew for run, skew in skews.items() if abs(skew) >= LEAST_SKEW}
    dark = [run for run, skew in clear.items() if skew < 0]
    bright = [run for run, skew in clear.items() if skew > 0]
    if not dark or not bright:
        return []
    first = next(iter(clear))
    usual_is_dark = (len(dark), first in dark) > (len(bright), first in bright)
    fewer = bright if usual_is_dark else dark
    return [
        Doubt(
            kind=DoubtKind.INVERTED,
            weight=Weight.LOOK,
            run=run,
            pair=None,
            measured=f"a skewness of {clear[run]:+.1f}",
            expected="the sign of the other runs",
            do="look at its phase frames: export them as the camera took them, not inverted; runs"
            " of another contrast (positive, negative) need a model of their own",
        )
        for run in fewer
    ]
