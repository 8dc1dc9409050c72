"""A plate whose wells a stage visits, and the figures for the projection of an acquisition.

Plate sizes are those of ANSI/SLAS 4-2004 where it defines them (96, 384, 1536 wells), else those
that manufacturers share; `useq-schema` has the same.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import (
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from scopewatch.config.strict import Strict
from scopewatch.core.alerts.scope import check_pattern

PlateType = Literal["6-well", "12-well", "24-well", "48-well", "96-well", "384-well", "1536-well"]
Micrometres = Annotated[float, Field(allow_inf_nan=False)]
Pitch = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class PlateSize(NamedTuple):
    """Rows and columns of a plate, and pitch and width of its wells in micrometres."""

    rows: int
    columns: int
    pitch_um: float
    well_um: float


PLATE_SIZES: Final[Mapping[PlateType, PlateSize]] = {
    "6-well": PlateSize(2, 3, 39_120, 34_800),
    "12-well": PlateSize(3, 4, 26_000, 22_000),
    "24-well": PlateSize(4, 6, 19_000, 15_600),
    "48-well": PlateSize(6, 8, 13_000, 11_100),
    "96-well": PlateSize(8, 12, 9_000, 6_400),
    "384-well": PlateSize(16, 24, 4_500, 3_400),
    "1536-well": PlateSize(32, 48, 2_250, 1_700),
}


def _one_line(value: Any, check: ValidatorFunctionWrapHandler, line: str) -> Any:
    """Check a value of several shapes; an invalid one gives one line, not one for each shape."""
    try:
        return check(value)
    except ValidationError as error:
        raise ValueError(line) from error


class SitesConfig(Strict):
    """Fields of view of a well: a grid around its centre."""

    rows: int = Field(default=1, ge=1, le=100)
    columns: int = Field(default=1, ge=1, le=100)
    spacing_um: Pitch | tuple[Pitch, Pitch] | None = Field(
        default=None, description="from one to the next, or [in x, in y]"
    )

    @field_validator("spacing_um", mode="wrap")
    @classmethod
    def _is_distance(cls, value: Any, check: ValidatorFunctionWrapHandler) -> Any:
        return _one_line(value, check, "spacing_um is a number of micrometres, or [in x, in y]")

    @model_validator(mode="after")
    def _spaced(self) -> Self:
        if self.rows * self.columns > 1 and self.spacing_um is None:
            raise ValueError("more than one site needs spacing_um: how far apart they are")
        return self

    @property
    def step_um(self) -> tuple[float, float]:
        """Distance in x and in y from one site to the next."""
        given = self.spacing_um or 0.0
        return given if isinstance(given, tuple) else (given, given)


class PlateConfig(Strict):
    """A plate whose wells are visited: the stage positions are computed from it."""

    type: PlateType | None = Field(default=None, description="a plate that is sold: 96-well")
    rows: int | None = Field(default=None, ge=1, le=32, description="of another plate")
    columns: int | None = Field(default=None, ge=1, le=48)
    pitch_um: Pitch | tuple[Pitch, Pitch] | None = Field(
        default=None, description="from well to well, or [along a row, along a column]"
    )
    centres_um: dict[
        str, tuple[Micrometres, Micrometres] | tuple[Micrometres, Micrometres, Micrometres]
    ] = Field(
        min_length=1,
        description="[x, y] or [x, y, z] of the stage at the centre of A1; with another corner"
        " well, or two, the plate may lie rotated",
    )
    rotation_deg: float | None = Field(
        default=None,
        gt=-360,
        lt=360,
        description="anti-clockwise as the stage counts, where one centre is known",
    )
    y_with_rows: Literal["falls", "grows"] | None = Field(
        default=None,
        description="the stage's y from row A on: falls as in useq-schema, grows as in"
        " Micro-Manager's plate plug-in; null: as the centres of two rows and columns say",
    )
    wells: tuple[str, ...] = Field(default=(), description="B3, B*, or A1:B6; none: all")
    skip: tuple[str, ...] = Field(default=(), description="wells that are left out, as in wells")
    sites: SitesConfig = SitesConfig()
    order: Literal["snake", "rows"] = Field(
        default="snake", description="snake: every other row backwards, which is less travel"
    )

    @field_validator("pitch_um", mode="wrap")
    @classmethod
    def _is_distance(cls, value: Any, check: ValidatorFunctionWrapHandler) -> Any:
        line = "pitch_um is a number of micrometres, or [along a row, along a column]"
        return _one_line(value, check, line)

    @field_validator("centres_um", mode="wrap")
    @classmethod
    def _are_places(cls, value: Any, check: ValidatorFunctionWrapHandler) -> Any:
        line = "centres_um holds [x, y] or [x, y, z] by well: {A1: [1200, -400]}"
        return _one_line(value, check, line)

    @field_validator("wells", "skip")
    @classmethod
    def _are_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [
            f"pattern of wells {each!r} {why}" for each in value if (why := check_pattern(each))
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        return value

    @model_validator(mode="after")
    def _has_one_size(self) -> Self:
        own = (self.rows, self.columns, self.pitch_um)
        if self.type is not None and any(each is not None for each in own):
            raise ValueError("a plate has a type, or rows, columns and pitch_um; not both")
        if self.type is None and any(each is None for each in own):
            raise ValueError("a plate needs a type, or rows, columns and pitch_um")
        return self

    @property
    def size(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        if self.type is not None:
            return PLATE_SIZES[self.type][:2]
        return self.rows or 1, self.columns or 1

    @property
    def step_um(self) -> tuple[float, float]:
        """Distance from well to well along a row, and along a column."""
        given = PLATE_SIZES[self.type].pitch_um if self.type is not None else self.pitch_um or 0.0
        return given if isinstance(given, tuple) else (given, given)

    @property
    def well_um(self) -> float | None:
        """Width of a well; None where it is not known."""
        return None if self.type is None else PLATE_SIZES[self.type].well_um


class ProjectionConfig(Strict):
    """Figures for the projection of time and disk of an acquisition; no device is moved."""

    stage_um_per_s: float = Field(default=10_000, gt=0, description="speed of the stage")
    settle_s: float = Field(default=0.2, ge=0, description="of each move, until the stage is still")
    image_s: float = Field(
        default=0.15, ge=0, description="of each image beside its exposure: preset, readout, disk"
    )
    focus_s: float = Field(default=5, ge=0, description="of each time the focus is found")
    frame_px: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None = Field(
        default=None,
        description="[width, height] of an image; null: as the newest images on disk, else"
        " 2048 x 2048 is assumed",
    )
    bytes_per_px: Literal[1, 2] = 2
