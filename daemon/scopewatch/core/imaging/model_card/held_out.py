"""What the model card states of runs that were held out: error rates, and forecasts by day."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from scopewatch.core.imaging.efficiency import ErrorRates
from scopewatch.core.imaging.model_card.base import Fraction, Strict


class HeldOutErrors(Strict):
    """Error rates on runs that were held out, at `threshold`; see `core.imaging.efficiency`.

    `tpr` and `fpr` are those of images: the line raw = fpr + (tpr - fpr) * true through the
    held-out frames. Rates pooled over tiles would not hold for any one image, since tiles err at
    the borders of positive patches.
    """

    tpr: Fraction
    fpr: Fraction
    half_width: Fraction | None = Field(
        description="of the interval; None: wells of one run were held out, which say nothing of"
        " another run"
    )
    coverage: Annotated[float, Field(gt=0, lt=1)] = 0.9
    run_residuals: dict[str, float] = Field(
        description="mean of (corrected - true) efficiency of each held-out run"
    )

    def rates(self) -> ErrorRates:
        """Return the rates as the core takes them."""
        return ErrorRates(
            tpr=self.tpr, fpr=self.fpr, half_width=self.half_width, coverage=self.coverage
        )


class ForecastDay(Strict):
    """One row of the forecast table: final efficiency from the efficiency of one day.

    forecast = intercept + slope * efficiency + trend_slope * trend, of the running estimate
    (`core.estimation.smoothing`); the truth was within +-half_width in `coverage` of the wells
    of held-out runs.
    """

    day: float = Field(ge=0)
    intercept: float
    slope: float
    trend_slope: float = Field(
        default=0.0, description="change of the forecast per unit of trend (efficiency per day)"
    )
    half_width: Fraction
    better_than_prior: bool
    errors: tuple[float, ...] = Field(
        default=(),
        max_length=99,
        description="held-out errors truth - forecast, sorted: their quantiles at (i + 0.5) / n,"
        " runs weighing alike; none where only half_width is known",
    )
    estimate_range: tuple[float, float] | None = Field(
        default=None, description="lowest and highest running estimate that the row was built on"
    )

    @model_validator(mode="after")
    def _errors_and_range_are_ordered(self) -> Self:
        if list(self.errors) != sorted(self.errors):
            raise ValueError(f"errors of day {self.day:g} are not sorted")
        if self.estimate_range is not None and self.estimate_range[0] > self.estimate_range[1]:
            raise ValueError(f"estimates of day {self.day:g} are out of order")
        return self
