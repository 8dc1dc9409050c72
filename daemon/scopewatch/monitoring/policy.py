"""How a run is planned: what its frames are expected to be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from scopewatch.core.alerts.scope import place
from scopewatch.core.imaging.efficiency import ErrorRates
from scopewatch.core.imaging.model_card.held_out import ForecastDay
from scopewatch.core.well_name import well_at

# Time points are never quite punctual, and a frame takes a while to be taken and judged.
STALE_INTERVALS: Final = 1.5
# A well this many time points behind its plate is left behind, however recent its frames.
STALE_TIME_POINTS: Final = 2
# A time point of a plate that lacks a frame is not waited for longer than this share of the
# interval, and never for more than an hour.
PATIENCE: Final = 0.1
MOST_PATIENCE: Final = timedelta(hours=1)
# Fluorescence counts as the final day's from so long before it.
BEFORE_END_DAYS: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPolicy:
    """The plan of a run, from the configuration, and what the model's card promises of its wells.

    Parameters
    ----------
    run
        Its name.
    interval_h
        Hours between time points.
    final_day
        The day of the run that its forecasts speak of.
    sites_per_well
        Fields of view that make up a time point of a well.
    phase_channel
        The channel that is scored.
    fluorescence_channel
        The channel that measures the wells on the final day; None where none does.
    started_at
        Day 0, aware UTC; None: the first frame.
    day_from
        Whether days follow from when frames were taken, or from their time points.
    simulated
        Whether all of it is simulated.
    rates
        Error rates of the card, None where it has none.
    forecast
        Forecast table of the card.
    """

    run: str
    interval_h: float
    final_day: float
    sites_per_well: int
    phase_channel: str
    fluorescence_channel: str | None = None
    started_at: datetime | None = None
    day_from: Literal["acquired_at", "time_point"] = "acquired_at"
    simulated: bool = False
    rates: ErrorRates | None = None
    forecast: tuple[ForecastDay, ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that are worked on; others are only recorded."""
        marker = self.fluorescence_channel
        return (self.phase_channel,) if marker is None else (self.phase_channel, marker)

    @property
    def interval(self) -> timedelta:
        """The time between time points."""
        return timedelta(hours=self.interval_h)

    @property
    def patience(self) -> timedelta:
        """How long a plate's missing frame is waited for after its last one."""
        return min(PATIENCE * self.interval, MOST_PATIENCE)

    @property
    def recent(self) -> timedelta:
        """How old the newest judged frame of a well may be before the well counts as silent."""
        return STALE_INTERVALS * self.interval


def named_wells(patterns: Sequence[str]) -> tuple[str, ...]:
    """Return the wells that patterns of wells name one by one: `B3`, but not `B*` or `A1:B6`.

    >>> named_wells(["B03", "B*", "A1:B6"])
    ('B3',)
    """
    places = [place(pattern) for pattern in patterns]
    return tuple(well_at(*found) for found in places if found)
