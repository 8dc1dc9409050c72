"""Data of the charts of a message; they are drawn when it is sent, see `trend_picture.py`.

The outbox keeps these figures instead of files: a picture that waits for days takes no space, and
none can be missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scopewatch.core.alerts.observation import Reading
from scopewatch.core.estimation.smoothing import WellPoint

# A chart has 770 px for the course of a well.
STRETCHES: Final = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The time course of one well with its forecast.

    Parameters
    ----------
    name
        Which well, as the picture's title shows it.
    points
        Its time points, by day, of a long run as `thinned` keeps them; at least one.
    now, day
        The smoothed estimate and its day; `now` is None where there is none.
    forecast, final_day
        What is expected on the final day; None where nothing is.
    target
        Efficiency to reach, 0 to 1; None where there is none.
    """

    name: str
    points: tuple[WellPoint, ...]
    day: float
    now: Reading | None = None
    forecast: Reading | None = None
    final_day: float | None = None
    target: float | None = None
    simulated: bool = False

    def __post_init__(self) -> None:
        if not self.points:
            raise ValueError(f"a trend needs at least one point: {self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateWell:
    """One well of a plate map.

    Parameters
    ----------
    value
        Efficiency that colours it, 0 to 1: the forecast where there is one, else the estimate;
        None where it was never judged.
    foretold
        Whether `value` is a forecast.
    flagged
        Whether an alert of it is raised.
    stale
        Whether it has no recent frame.
    neutral
        Whether there is nothing to compare it with yet: then it has no colour.
    """

    well: str
    value: float | None
    foretold: bool = False
    flagged: bool = False
    stale: bool = False
    neutral: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateMap:
    """A plate as it lies under the microscope."""

    plate: str
    wells: tuple[PlateWell, ...]
    target: float | None = None
    simulated: bool = False

    def __post_init__(self) -> None:
        if not self.wells:
            raise ValueError(f"a plate map needs at least one well: {self.plate}")


ChartData = Trend | PlateMap


def thinned(points: Sequence[WellPoint], stretches: int = STRETCHES) -> tuple[WellPoint, ...]:
    """Return the points of a course that a chart can show, by day.

    A message of a run of 1,344 time points would hold, and draw, as many dots on 770 px. The course
    is divided into stretches of equally many points; each keeps its lowest and its highest
    efficiency, so that no outlier is lost. The first and the newest point are always kept.
    """
    if len(points) <= 2 * stretches:
        return tuple(points)
    kept = {0, len(points) - 1}
    for stretch in range(stretches):
        first, end = (len(points) * at // stretches for at in (stretch, stretch + 1))
        by_efficiency = sorted(range(first, end), key=lambda at: points[at].efficiency)
        kept |= {by_efficiency[0], by_efficiency[-1]}
    return tuple(points[at] for at in sorted(kept))
