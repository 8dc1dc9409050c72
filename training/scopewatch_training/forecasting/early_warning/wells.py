"""Results for single wells of an early-warning study: warnings, and forecasts with the end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scopewatch.core.estimation.forecast import WellForecast, forecast
from scopewatch.core.imaging.model_card.held_out import ForecastDay
from scopewatch_training.forecasting.courses import Course
from scopewatch_training.forecasting.timelapse import Well


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """When an operator was warned of a well before the final day.

    Parameters
    ----------
    ever
        Whether an alert named it at all, taken back or not.
    since_day
        Day from which on some alert named it to the end; None where none did.
    """

    ever: bool = False
    since_day: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WellWarning:
    """A well, the efficiency it came to (0 to 1), and when an operator was warned of it."""

    place: Well
    final: float
    warned: Warned


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedForecast:
    """A forecast beside the end that it is of; 0 to 1."""

    run: str
    day: float
    value: float
    low: float
    high: float
    final: float

    @property
    def held(self) -> bool:
        """Whether the interval held the end."""
        return self.low <= self.final <= self.high


def check_forecasts(
    courses: Iterable[Course], table: Sequence[ForecastDay], final_day: float
) -> list[CheckedForecast]:
    """Return every forecast that the daemon would have shown before the final day."""
    found = []
    for course in courses:
        for sight in course.sights:
            foreseen = forecast(table, sight.running, final_day)
            if sight.day < final_day and isinstance(foreseen, WellForecast):
                found.append(
                    CheckedForecast(
                        run=course.run,
                        day=sight.day,
                        value=foreseen.value,
                        low=foreseen.low,
                        high=foreseen.high,
                        final=course.final,
                    )
                )
    return found
