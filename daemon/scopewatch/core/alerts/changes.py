"""Sudden changes of a well: a lasting jump of an image measure.

Cells that come off leave bare ground: contrast falls and the positive share with it. Microbes
bring fine grain. Neither is recognised with certainty; the cause is a hint.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from statistics import median
from typing import Final
from zlib import crc32

from scopewatch.core.alerts.observation import Cause

FEWEST_BEFORE: Final = 3
MOST_BEFORE: Final = 4
# A jump must also exceed the usual spread of this well's frames, so many times.
SPREADS: Final = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """A measure and the direction in which it may jump.

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

    @property
    def name(self) -> str:
        """The measure and its direction: `contrast-`."""
        return f"{self.measure}{'+' if self.direction > 0 else '-'}"

    def reading(self, value: float) -> float:
        """Return a value of the measure as it is compared: larger is further in the direction."""
        return self.direction * (log(max(value, 1e-6)) if self.relative else value)


SYMPTOMS: Final = (
    Symptom(measure="coverage", direction=-1, least=0.2, cause=Cause.DETACHMENT),
    Symptom(measure="contrast", direction=-1, least=0.7, cause=Cause.DETACHMENT, relative=True),
    Symptom(measure="positive", direction=-1, least=0.25, cause=Cause.DETACHMENT),
    Symptom(measure="band_4px", direction=1, least=0.012, cause=Cause.CONTAMINATION),
    Symptom(measure="band_8px", direction=1, least=0.07, cause=Cause.CONTAMINATION),
    Symptom(measure="focus", direction=1, least=0.15, cause=Cause.CONTAMINATION),
    Symptom(measure="contrast", direction=1, least=0.7, cause=Cause.CHANGE, relative=True),
    Symptom(measure="band_coarse", direction=1, least=0.3, cause=Cause.CHANGE),
)


# Identifies the parameters that a stored course was built with; a course of other parameters is
# rebuilt.
# Databases hold the number, so the text under it keeps the first name of the class.
_PARAMETERS: Final = repr((SYMPTOMS, FEWEST_BEFORE, MOST_BEFORE, SPREADS))
MADE_BY: Final = crc32(_PARAMETERS.replace("Symptom(", "Sign(").encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """The largest jump found; `size` 1 is just noticeable."""

    measure: str
    cause: Cause
    size: float
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Departure:
    """A time point that departed from those before it, in the direction of a symptom.

    Parameters
    ----------
    middle
        Median of those before it; in the direction of the symptom, as logarithm where `relative`.
    scale
        What a jump of size 1 exceeds `middle` by.
    height
        What the time point exceeded `middle` by.
    before
        Median of those before it, as the measure is.
    """

    middle: float
    scale: float
    height: float
    before: float

    def size(self, newest: float) -> float:
        """Return how large the jump is that has not gone back by the newest time point."""
        return max(min(self.height, newest - self.middle), 0.0) / self.scale

    def covers(self, later: "Departure") -> bool:
        """Whether no later one can exceed this one, whatever the well does."""
        return (
            self.middle <= later.middle
            and self.scale <= later.scale
            and self.height / self.scale >= later.height / later.scale
        )

    def outdoes(self, earlier: "Departure") -> bool:
        """Whether this one makes an earlier one superfluous: it is larger, or as large."""
        return (
            self.middle <= earlier.middle
            and self.scale <= earlier.scale
            and self.height / self.scale > earlier.height / earlier.scale
            and (
                self.middle < earlier.middle
                or self.scale < earlier.scale
                or self.before == earlier.before
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The judged time points of a well, as far as they can still show a jump.

    It holds a handful of numbers, however long the well has been watched: of its departures those
    are left out that can never be the largest again.

    Parameters
    ----------
    recent
        The newest values of each measure, up to four.
    departures
        By `Symptom.name`, in order of time.
    """

    recent: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    departures: Mapping[str, tuple[Departure, ...]] = field(default_factory=dict)

    def after(self, measures: Mapping[str, float]) -> "Course":
        """Return the course with a further time point; a measure that it lacks is passed over."""
        recent, departures = dict(self.recent), dict(self.departures)
        for symptom in SYMPTOMS:
            before = self.recent.get(symptom.measure, ())
            if symptom.measure not in measures:
                continue
            if len(before) >= FEWEST_BEFORE:
                departures[symptom.name] = _enter(
                    departures.get(symptom.name, ()), symptom, before, measures[symptom.measure]
                )
            recent[symptom.measure] = (*before, measures[symptom.measure])[-MOST_BEFORE:]
        return Course(recent=recent, departures=departures)

    def largest(self) -> Jump | None:
        """Return the largest jump that has not gone back by the newest time point."""
        jumps = [
            _measure(symptom, self.departures[symptom.name], self.recent[symptom.measure][-1])
            for symptom in SYMPTOMS
            if symptom.name in self.departures
        ]
        return max(jumps, key=lambda jump: jump.size, default=None)


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
    course = Course()
    for measures in history:
        course = course.after(measures)
    return course.largest()


def _measure(symptom: Symptom, departures: Sequence[Departure], newest: float) -> Jump:
    reached = symptom.reading(newest)
    # The first of those that are as large.
    largest = max(departures, key=lambda each: each.size(reached))
    return Jump(
        measure=symptom.measure,
        cause=symptom.cause,
        size=largest.size(reached),
        before=largest.before,
        after=newest,
    )


def _enter(
    kept: tuple[Departure, ...], symptom: Symptom, recent: Sequence[float], value: float
) -> tuple[Departure, ...]:
    """Add the departure of a value from those before it; leave out what is never the largest."""
    before = [symptom.reading(each) for each in recent]
    middle = median(before)
    height = symptom.reading(value) - middle
    # Where nothing departs, the first one is reported.
    if kept and height <= 0:
        return kept
    # Of three or four values the median deviation is often 0 by chance; the mean is not.
    usual = 1.2533 * sum(abs(each - middle) for each in before) / len(before)
    found = Departure(middle, max(symptom.least, SPREADS * usual), height, median(recent))
    if any(each.covers(found) for each in kept):
        return kept
    return (*kept[:1], *(each for each in kept[1:] if not found.outdoes(each)), found)
