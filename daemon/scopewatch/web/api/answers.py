"""What the HTTP API answers, as JSON."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from scopewatch.core.estimation.forecast import NoForecast
from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.store.read.records.runs_and_wells import Outlook
from scopewatch.web.health import StateAnswer


class FrameCounts(BaseModel):
    """Frames by what became of them."""

    scored: int
    quarantined: int = Field(description="frames that cannot be judged")
    refused: int = Field(description="files that never became a frame")
    missed: int = Field(description="frames that were due and never came")
    waiting: int = Field(description="found, and neither scored nor quarantined yet")


class StatusAnswer(BaseModel):
    """`/api/status.json`."""

    schema_version: int = 1
    experiment: str
    day: float | None
    model_name: str
    model_id: str
    simulated: bool
    target: float | None
    frames: FrameCounts
    last_frame_at: datetime | None
    last_frame_age_s: float | None
    wells: int
    wells_flagged: list[str] = Field(description="raised and not yet acknowledged or snoozed")
    healthy: bool
    detail: list[str]
    scale_checked: bool | None = Field(
        description="whether the pixel size of the newest frame was compared with the model's"
    )
    pausing: str = Field(description="why no frame is scored at the moment though all is well")
    state: StateAnswer


class EfficiencyAnswer(BaseModel):
    """Fractions, 0 to 1; without `corrected` the interval is 0 to 1."""

    value: float
    low: float
    high: float
    corrected: bool

    @classmethod
    def of(cls, seen: Efficiency) -> Self:
        """Return the answer for an efficiency."""
        return cls(value=seen.value, low=seen.low, high=seen.high, corrected=seen.corrected)


class ForecastAnswer(BaseModel):
    """Forecast of a well made on a day of the run; fractions, 0 to 1."""

    final_day: float
    value: float | None
    low: float | None
    high: float | None
    below_target: float | None = Field(description="probability of ending below `target`")
    no_forecast: str | None = Field(description="why there is no forecast")

    @classmethod
    def of(cls, seen: Outlook, target: float | None) -> Self:
        """Return the answer for the forecast of an outlook, or for the lack of one."""
        forecast = seen.forecast
        if isinstance(forecast, NoForecast):
            return cls(
                final_day=seen.final_day,
                value=None,
                low=None,
                high=None,
                below_target=None,
                no_forecast=forecast.reason,
            )
        return cls(
            final_day=forecast.final_day,
            value=forecast.value,
            low=forecast.low,
            high=forecast.high,
            below_target=None if target is None else forecast.probability_below(target),
            no_forecast=None,
        )


class OutlookAnswer(BaseModel):
    """Running estimate of a well, smoothed over its time points, and its forecast."""

    time_point: int
    day: float
    now: float
    low: float
    high: float
    trend_per_day: float
    forecast: ForecastAnswer

    @classmethod
    def of(cls, seen: Outlook, target: float | None) -> Self:
        """Return the answer for an outlook, compared with the target of the run."""
        return cls(
            time_point=seen.time_point,
            day=seen.day,
            now=seen.now,
            low=seen.low,
            high=seen.high,
            trend_per_day=seen.trend_per_day,
            forecast=ForecastAnswer.of(seen, target),
        )


class WellAnswer(BaseModel):
    """The present state of a well."""

    experiment: str
    plate: str
    well: str
    day: float | None
    time_point: int | None
    efficiency: EfficiencyAnswer | None = Field(description="of the newest time point alone")
    outlook: OutlookAnswer | None
    frames_scored: int
    frames_quarantined: int
    last_frame_at: datetime | None
    stale: bool
    flagged: bool
    rules: list[str] = Field(description="the rules whose alerts are raised")
    course: str = Field(description="address of its time course")


class WellsAnswer(BaseModel):
    """`/api/wells.json`."""

    schema_version: int = 1
    simulated: bool
    wells: list[WellAnswer]


class PointAnswer(BaseModel):
    """A time point of a well."""

    time_point: int
    day: float
    efficiency: EfficiencyAnswer
    sites: int


class CourseAnswer(BaseModel):
    """`/api/wells/<experiment>/<plate>/<well>.json`."""

    schema_version: int = 1
    simulated: bool
    target: float | None
    well: WellAnswer
    points: list[PointAnswer]
    outlooks: list[OutlookAnswer] = Field(description="what was known at each time point")
