"""The whole of `card.yaml`."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from scopewatch.core.imaging.efficiency import ErrorRates
from scopewatch.core.imaging.model_card.base import Strict
from scopewatch.core.imaging.model_card.held_out import ForecastDay, HeldOutErrors
from scopewatch.core.imaging.model_card.labels import Labels
from scopewatch.core.imaging.model_card.limits import QualityCard
from scopewatch.core.imaging.normalise import NormaliseSpec
from scopewatch.core.imaging.planes.spread import USUAL_SHARE

SCHEMA_VERSION = 1


class Normalisation(Strict):
    """How frames are normalised before scoring; see `core.imaging.normalise.NormaliseSpec`."""

    background_px: float = Field(ge=4)
    contrast_floor: float = Field(gt=0)
    contrast_share: float = Field(default=USUAL_SHARE, ge=0.1, lt=1)
    clip: float = Field(gt=0)

    def spec(self) -> NormaliseSpec:
        """Return the settings as the core takes them."""
        return NormaliseSpec(**self.model_dump())


class FineStain(Strict):
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


class Versions(Strict):
    """What made the model."""

    scopewatch: str
    tensorflow: str
    python: str


class ModelCard(Strict):
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
