"""The model card: everything the daemon must know of a model besides its weights.

`card.yaml` lies beside `model.tflite`. Training writes it through these models and the daemon
reads it through them, strictly: an unknown key or a missing one is refused.
"""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from scopewatch.core.imaging.efficiency import ErrorRates
from scopewatch.core.imaging.label_settings import Method, Scope
from scopewatch.core.imaging.normalise import NormaliseSpec
from scopewatch.core.imaging.planes.spread import USUAL_SHARE

SCHEMA_VERSION = 1

Fraction = Annotated[float, Field(ge=0, le=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Normalisation(_Strict):
    """How frames are normalised before scoring; see `core.imaging.normalise.NormaliseSpec`."""

    background_px: float = Field(ge=4)
    contrast_floor: float = Field(gt=0)
    contrast_share: float = Field(default=USUAL_SHARE, ge=0.1, lt=1)
    clip: float = Field(gt=0)

    def spec(self) -> NormaliseSpec:
        """Return the settings as the core takes them."""
        return NormaliseSpec(**self.model_dump())


class LabelRecipe(_Strict):
    """The numbers by which fluorescence became labels; see `core.imaging.label_settings`.

    With them the daemon labels the fluorescence of the final day as training labelled its own.
    """

    method: Method
    scope: Scope
    knee_sigmas: float = Field(gt=0)
    mad_k: float = Field(gt=0)
    fixed_counts: float | None
    controls: tuple[str, ...]
    control_quantile: Fraction
    floor_sigmas: float = Field(ge=0)
    min_snr: float = Field(ge=0)
    pooled_counts: float | None = Field(
        description="the one threshold of the training runs, where the scope is pooled"
    )
    ambiguous_band: Fraction
    max_unknown: Fraction
    smooth_px: float = Field(ge=0, description="Gaussian that took the noise out of the signal")
    glow_px: int = Field(
        default=0, ge=0, le=200, description="how far the glow about bright cells was removed"
    )
    glow_share: Fraction = Field(
        default=0.3, description="share of the brightest within glow_px that makes a pixel a cell's"
    )


class LabelCorrections(_Strict):
    """How much people corrected in the labels of the training runs; see docs/training.md."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of all that changes a label")
    tiles: int = Field(ge=0, description="tiles with a label that a person gave")
    pairs_dropped: int = Field(ge=0, description="pairs that were left out")


class Labels(_Strict):
    """How fluorescence became tile labels."""

    marker: str = Field(description="what the fluorescence shows, e.g. NKX2.5-GFP")
    binarisation: str = Field(description="method and its fitted threshold in words")
    area_cutoff: Fraction = Field(description="positive share of a tile's area that makes it 1")
    recipe: LabelRecipe | None = Field(
        default=None, description="None: of a bundle made before the card carried it"
    )
    corrections: LabelCorrections | None = Field(
        default=None, description="None: all labels are as the fluorescence gave them"
    )


class HeldOutErrors(_Strict):
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


class DistanceLimit(_Strict):
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


class QualityCard(_Strict):
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


class FineStain(_Strict):
    """How the second output of the network becomes a finer stain.

    The output is the positive share of squares that are narrower than a tile, by what the network
    sees close by. Tiles are scored by what surrounds them, too. The share that is drawn follows
    from both: logit = offset + of_square * logit of the output + of_tile * logit of the tiles,
    between whose middles it is interpolated. Nothing is decided by it: efficiencies and alerts
    follow from tiles alone.
    """

    side_px: int = Field(ge=2, description="side of a square; a whole number of them is a tile's")
    offset: float = Field(ge=-20, le=20)
    of_square: float = Field(ge=0, le=20)
    of_tile: float = Field(ge=0, le=20)


class ForecastDay(_Strict):
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


class Versions(_Strict):
    """What made the model."""

    scopewatch: str
    tensorflow: str
    python: str


class ModelCard(_Strict):
    """`card.yaml`."""

    schema_version: Literal[1]
    name: str = Field(min_length=1)
    description: str
    simulated: bool = Field(description="True when any training frame was simulated")
    model_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    tile_px: int = Field(ge=8, le=256)
    context: Literal["full", "none"]
    receptive_field_px: int = Field(ge=1, description="side of the square that one tile sees")
    um_per_px: float | None = Field(gt=0, description="None: unknown for the training data")
    normalisation: Normalisation
    labels: Labels
    threshold: Annotated[float, Field(gt=0, lt=1)]
    fine_stain: FineStain | None = Field(
        default=None, description="None: the network has no second output"
    )
    errors: HeldOutErrors | None
    quality: QualityCard
    forecast: tuple[ForecastDay, ...] = ()
    trained_on: tuple[str, ...] = Field(min_length=1, description="names of the training runs")
    held_out: tuple[str, ...] = ()
    recalibrated_on: tuple[str, ...] = Field(
        default=(),
        description="runs that threshold, error rates and forecast were refitted with afterwards",
    )
    metrics: dict[str, float] = Field(description="held-out figures; see report/")
    data_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    training_frames_sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="of report/training-frames.json; None: copies of training frames cannot be"
        " checked",
    )
    notes: tuple[str, ...] = Field(
        default=(), description="what limits the figures above, a sentence each"
    )
    created_at: datetime
    versions: Versions

    @model_validator(mode="after")
    def _squares_fill_a_tile(self) -> Self:
        fine = self.fine_stain
        if fine is not None and (fine.side_px >= self.tile_px or self.tile_px % fine.side_px):
            raise ValueError(f"squares of {fine.side_px} px do not divide tiles of {self.tile_px}")
        return self

    @model_validator(mode="after")
    def _no_frame_is_both(self) -> Self:
        both = set(self.trained_on) & {*self.held_out, *self.recalibrated_on}
        if both:
            raise ValueError(f"runs stand as trained on and as held out: {sorted(both)}")
        return self

    @property
    def rates(self) -> ErrorRates | None:
        """Error rates as the core takes them; None where none were measured."""
        return None if self.errors is None else self.errors.rates()

    @property
    def model_id(self) -> str:
        """Short name of exactly these weights: the hash's first twelve digits."""
        return self.model_sha256[:12]
