"""Guesses facts of a run from a folder's files: interval, channels, plate, sites. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from scopewatch.app.explain.explanation import Explanation
from scopewatch.core.well_name import row_name
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.base.wells import PLATE_COLUMNS

# Intervals that people set, in hours; a measured one near such is meant to be it.
_USUAL_H = (0.25, 1 / 3, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 24, 48)
_NEAR = 0.06
_PHASE = (
    re.compile(r"(?i)\bphase|phaco|phasen|\bph\d?\b|zernike"),
    re.compile(r"(?i)bright ?field|\bbf\b|trans(mi|$|\b)|\btl\b|\bdic\b|hellfeld|ibidi"),
)
_WELL = re.compile(r"([A-Z]{1,2})(\d{1,2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A guess and its reason; `value` is None where nothing gives one."""

    value: object
    why: str


def guess_interval_h(facts: Iterable[PlaneFacts]) -> Guess:
    """Guess the hours between time points from times in names.

    The median gap between the times of one field of view, rounded to an interval that people set.
    """
    times: dict[tuple[object, ...], set[float]] = defaultdict(set)
    for each in facts:
        place = (each.plate, each.well, each.site, each.position, each.channel, each.channel_code)
        if each.elapsed_s is not None:
            times[place].add(each.elapsed_s)
        elif each.wall_time is not None:
            times[place].add((each.wall_time - datetime(1970, 1, 1)).total_seconds())  # noqa: DTZ001
    gaps = [b - a for seen in times.values() for a, b in pairwise(sorted(seen))]
    if not gaps:
        return Guess(value=None, why="names hold no times")
    return Guess(value=usual_h(median(gaps) / 3600), why="median gap between the times in names")


def usual_h(hours: float) -> float:
    """Round a measured interval to one that people set, where it is near one.

    >>> usual_h(11.93), usual_h(0.0833)
    (12, 0.083)
    """
    near = min(_USUAL_H, key=lambda usual: abs(hours / usual - 1))
    return near if abs(hours / near - 1) <= _NEAR else round(hours, 3)


def guess_phase_channel(channels: Mapping[str, int]) -> Guess:
    """Guess which channel is the phase contrast: by its name, or since there is but one."""
    for pattern in _PHASE:
        fitting = [name for name in channels if pattern.search(name)]
        if len(fitting) == 1:
            return Guess(value=fitting[0], why="by its name")
    if len(channels) == 1:
        return Guess(value=next(iter(channels)), why="the only one")
    return Guess(value=None, why="no name of a channel says phase contrast")


def guess_plate_wells(wells: Iterable[str]) -> Guess:
    """Guess the size of the plate: the smallest that has all the wells."""
    places = [match for well in wells if (match := _WELL.fullmatch(well))]
    if not places:
        return Guess(value=None, why="no well is named by row and column")
    row = max(_row(match[1]) for match in places)
    column = max(int(match[2]) for match in places)
    for size, columns in sorted(PLATE_COLUMNS.items()):
        if column <= columns and row <= size // columns:
            return Guess(value=size, why=f"the smallest plate with {row_name(row)}{column}")
    return Guess(value=None, why=f"no usual plate has {row_name(row)}{column}")


def guess_sites(explanations: Sequence[Explanation]) -> int:
    """Guess the fields of view per well: the most that a case has.

    Of the channel that is scored; of all channels where it is not known which that is.
    """
    cases = [case for each in explanations for case in each.cases]
    counted = [case for case in cases if case.scored] or cases
    return max((len(case.values.get("site", ())) for case in counted), default=1) or 1


def _row(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
