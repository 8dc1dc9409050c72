"""Sudden changes of a well: a jump of what its frames look like that does not go back.

Cells that come off leave bare ground: contrast falls and the positive share with it. Microbes
bring fine grain that was not there before. Neither is recognised for sure; the cause is a hint.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from statistics import median
from typing import Final

from scopewatch.core.alert import Cause

FEWEST_BEFORE: Final = 3
MOST_BEFORE: Final = 4
# A jump must also exceed what this well's own frames usually differ by, so many times.
SPREADS: Final = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A way for a measure to jump.

    Parameters
    ----------
    direction
        +1: it rises, -1: it falls.
    least
        The smallest jump that counts: in the measure's unit, or as a factor's natural logarithm
        where `relative`.
    """

    measure: str
    direction: int
    least: float
    cause: Cause
    relative: bool = False


SIGNS: Final = (
    Sign(measure="coverage", direction=-1, least=0.2, cause=Cause.DETACHMENT),
    Sign(measure="contrast", direction=-1, least=0.7, cause=Cause.DETACHMENT, relative=True),
    Sign(measure="positive", direction=-1, least=0.25, cause=Cause.DETACHMENT),
    Sign(measure="band_4px", direction=1, least=0.012, cause=Cause.CONTAMINATION),
    Sign(measure="band_8px", direction=1, least=0.07, cause=Cause.CONTAMINATION),
    Sign(measure="focus", direction=1, least=0.15, cause=Cause.CONTAMINATION),
    Sign(measure="contrast", direction=1, least=0.7, cause=Cause.CHANGE, relative=True),
    Sign(measure="band_coarse", direction=1, least=0.3, cause=Cause.CHANGE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """The largest jump found; `size` 1 is just noticeable."""

    measure: str
    cause: Cause
    size: float
    before: float
    after: float


def find_change(history: Sequence[Mapping[str, float]]) -> Jump | None:
    """Return the largest jump within a well's frames that has not gone back by the newest one.

    A jump is a departure of one time point from the median of up to four before it; how far the
    newest time point still departs from that median bounds its size. So it stays found for as
    long as the well looks different, and a slow drift is never one.

    Parameters
    ----------
    history
        Measures of the judged time points by day; a measure that one lacks is passed over.

    Returns
    -------
    None with fewer than four time points.
    """
    if len(history) <= FEWEST_BEFORE:
        return None
    jumps = [jump for sign in SIGNS if (jump := _largest(sign, history)) is not None]
    return max(jumps, key=lambda jump: jump.size, default=None)


def _largest(sign: Sign, history: Sequence[Mapping[str, float]]) -> Jump | None:
    seen = [look[sign.measure] for look in history if sign.measure in look]
    if len(seen) <= FEWEST_BEFORE:
        return None
    values = [
        sign.direction * (log(max(value, 1e-6)) if sign.relative else value) for value in seen
    ]
    best: Jump | None = None
    for index in range(FEWEST_BEFORE, len(values)):
        window = slice(max(0, index - MOST_BEFORE), index)
        before = values[window]
        middle = median(before)
        # Of three or four values the median deviation is often 0 by chance; the mean is not.
        usual = 1.2533 * sum(abs(value - middle) for value in before) / len(before)
        jump = min(values[index], values[-1]) - middle
        size = max(jump, 0.0) / max(sign.least, SPREADS * usual)
        if best is None or size > best.size:
            best = Jump(
                measure=sign.measure,
                cause=sign.cause,
                size=size,
                before=median(seen[window]),
                after=seen[-1],
            )
    return best
