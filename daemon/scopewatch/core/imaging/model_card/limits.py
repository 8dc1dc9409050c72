"""Limits of the model card beyond which a frame is refused."""

from typing import Self

from pydantic import Field, model_validator

from scopewatch.core.imaging.model_card.base import Fraction, Strict


class DistanceLimit(Strict):
    """How unlike the training frames a frame may be, all texture measures taken together.

    The distance is Mahalanobis': sqrt((x - mean) precision (x - mean)) of a frame's measures x.
    """

    measures: tuple[str, ...] = Field(
        min_length=1, description="of `core.imaging.planes.texture.describe`"
    )
    mean: tuple[float, ...] = Field(description="of the training frames, measure by measure")
    precision: tuple[tuple[float, ...], ...] = Field(
        description="inverse covariance of the training frames, a row for each measure"
    )
    limit: float = Field(gt=0, description="a frame farther away is refused")

    @model_validator(mode="after")
    def _shapes_fit(self) -> Self:
        count = len(self.measures)
        sizes = {len(self.mean), len(self.precision), *(len(row) for row in self.precision)}
        if sizes != {count}:
            raise ValueError(f"mean and precision are not of {count} measures: {sorted(sizes)}")
        return self


class QualityCard(Strict):
    """Limits beyond which a frame is refused, learnt from the training frames.

    Measures are those of `core.imaging.quality.measure`; a limit that is None is not applied.
    """

    min_contrast: float | None = None
    max_contrast: float | None = None
    min_focus: float | None = None
    max_focus: float | None = None
    max_saturated: Fraction = 0.2
    scale_tolerance: Fraction = Field(
        default=0.05, description="um/px may differ by this share before a frame is resampled"
    )
    max_resample: float = Field(
        default=2.0, ge=1, description="a frame is resampled up to this factor, then refused"
    )
    domain: dict[str, tuple[float, float]] = Field(
        default_factory=dict,
        description="measure -> lowest and highest value seen in training, widened",
    )
    distance: DistanceLimit | None = Field(
        default=None, description="limit on all texture measures together; None: not applied"
    )
    false_refusal_rate: Fraction | None = None

    @model_validator(mode="after")
    def _limits_are_ordered(self) -> Self:
        limits = (
            *self.domain.items(),
            ("contrast", (self.min_contrast, self.max_contrast)),
            ("focus", (self.min_focus, self.max_focus)),
        )
        for measure, (low, high) in limits:
            if low is not None and high is not None and low > high:
                raise ValueError(f"limits of {measure} are out of order: {low} to {high}")
        return self
