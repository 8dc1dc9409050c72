"""Sources of `config.yaml`: one strict model for each kind of source."""

from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, FiniteFloat, model_validator

from scopewatch.config.acts import ActsConfig
from scopewatch.config.focus import FocusConfig, MediumConfig, ZStackConfig
from scopewatch.config.plates import PlateConfig, ProjectionConfig
from scopewatch.config.strict import Seconds, Strict

# `A1`, `B12_s3`, `A1-Site_0` (Micro-Manager's plate generator), `A1_0000` (useq), `B03_fov2`,
# `B2_f3`, `A1_p2`, `Well A01, Site 2`. Digits alone are never split: `A012` and `P100` are no wells
# with a site. Rows Q to Z, of 1536 wells, only as programs write them: `T25_1` is a flask.
POSITION_LABEL = (
    r"(?:(?i:well)[-_: ]*)?(?P<well>(?:[A-Pa-p]|A[A-F]|(?=\w+(?:_\d{4}|-Site_\d+)$)[Q-Z])\d{1,2})"
    r"(?:(?:[-_ ]+|[-_ ,:]*(?i:s|site|f|fov|field|p|pos|position)[-_ ]*)(?P<site>\d+))?"
)

# Counters in file names that may begin with an unusual number.
Counted = Literal["time_point", "z", "row", "column"]


def _is_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise ValueError(
            f"{name!r} is no time zone; write one like Europe/Berlin or UTC"
        ) from error
    return name


class ReadingConfig(Strict):
    """Settings that turn files and names into frames; the same for every kind of source."""

    position: str = Field(
        default=POSITION_LABEL,
        description="regular expression that reads plate, well and site from position labels",
    )
    z: int | Literal["sharpest"] | None = Field(
        default=None,
        description="plane of a z-stack that is scored, as the program counts; null: the first,"
        " or 0 where planes are counted from below 0; sharpest: the sharpest of all",
    )
    um_per_px: float | None = Field(
        default=None, gt=0, description="pixel size; replaces the one in files"
    )
    clock_zone: Annotated[str, AfterValidator(_is_zone)] | None = Field(
        default=None,
        description="zone of times without one, such as Europe/Berlin; null: this machine's",
    )
    channel_names: dict[str, str] = Field(
        default_factory=dict, description="names of channels by code or name in files: {ch6: phase}"
    )
    wells: dict[str, str] = Field(
        default_factory=dict, description="wells by position label: {XY01: A1}"
    )
    plate_wells: Literal[6, 12, 24, 48, 96, 384, 1536] | None = Field(
        default=None, description="wells of the plate, where programs number them: 1 becomes A1"
    )


class FolderSourceConfig(ReadingConfig):
    """Image files that appear in a folder."""

    kind: Literal["folder"]
    name: str = Field(default="folder", pattern=r"^[\w.-]{1,100}$")
    path: Path
    pattern: str = Field(
        default="scopewatch",
        description="a layout (scopewatch, micromanager, useq, incucyte, pyincucyte, keyence, evos,"
        " harmony, imagexpress, yokogawa, cytation, leica, zen, nis, scanr, cellomics, metamorph,"
        " incell, lumaview, squid) or a regular expression with named groups: plate, well, row,"
        " column, site, position, time_point, channel, channel_code, z, days, hours, minutes,"
        " seconds, year, month, day",
    )
    counts_from: dict[Counted, int] = Field(
        default_factory=dict,
        description="the number that names begin to count with: {time_point: 1}; a layout knows",
    )
    recursive: bool = True
    observer: Literal["native", "polling"] = Field(
        default="native", description="polling for SMB/NFS shares, where events do not arrive"
    )
    poll_s: Seconds = 5
    settle_s: float = Field(default=2, ge=0, description="quiet time before a file is trusted")
    give_up_s: Seconds = Field(default=120, description="after this a broken file is quarantined")


class NDTiffSourceConfig(ReadingConfig):
    """An NDTiff data set (Micro-Manager, pycro-manager), also while it grows."""

    kind: Literal["ndtiff"]
    name: str = Field(default="ndtiff", pattern=r"^[\w.-]{1,100}$")
    path: Path = Field(description="the data set, or a folder in which data sets appear")
    poll_s: Seconds = 1


class OmeZarrSourceConfig(ReadingConfig):
    """An OME-Zarr store (NGFF 0.4 or 0.5), plate or not, also while it grows."""

    kind: Literal["ome-zarr"]
    name: str = Field(default="ome-zarr", pattern=r"^[\w.-]{1,100}$")
    path: Path = Field(description="the store, or a folder in which stores appear")
    poll_s: Seconds = 1


class PositionConfig(Strict):
    """A stage position to visit."""

    label: str
    x_um: float
    y_um: float
    z_um: float | None = None
    focus_offset_um: float = Field(
        default=0, description="from the plane that the focus finds to the one that is imaged"
    )
    exposures_ms: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict, description="exposures of its own by preset: {Phase: 35}"
    )


class ChannelConfig(Strict):
    """A channel to acquire: a preset of a Micro-Manager configuration group."""

    group: str
    preset: str
    exposure_ms: float = Field(gt=0)
    every: Annotated[int, Field(ge=1)] | Literal["final"] = Field(
        default=1, description="every so many time points, from the first on; final: the last alone"
    )
    z_offset_um: FiniteFloat = Field(
        default=0, description="from the z of the position to the one of this channel"
    )
    in_z_stack: bool | None = Field(
        default=None,
        description="whether the planes of z_stack are taken of it; null: of the phase_channel",
    )


class PhaseConfig(Strict):
    """Time points at one interval; the next phase begins an interval after its last one."""

    interval_s: Seconds
    time_points: int = Field(ge=1)


class MicroManagerSourceConfig(ReadingConfig):
    """A microscope driven (acquire) or accompanied (follow) through pycro-manager."""

    kind: Literal["micromanager"]
    name: str = Field(default="micromanager", pattern=r"^[\w.-]{1,100}$")
    mode: Literal["acquire", "follow"]
    path: Path = Field(description="where data sets are written (acquire) or appear (follow)")
    backend: Literal["python", "java"] = "python"
    mm_app_path: Path | None = Field(default=None, description="Micro-Manager folder (adapters)")
    mm_config: Path | None = Field(default=None, description="hardware configuration file")
    port: int = Field(default=4827, description="of the Java bridge")
    positions: tuple[PositionConfig, ...] = ()
    plan: Path | None = Field(
        default=None,
        description="in place of positions: a position list of Micro-Manager (.pos), or a"
        " useq-schema MDASequence (YAML or JSON), whose channels and times count too",
    )
    plate: PlateConfig | None = Field(default=None, description="in place of positions: a plate")
    channels: tuple[ChannelConfig, ...] = ()
    z_stack: ZStackConfig | None = Field(
        default=None,
        description="planes of the phase_channel at each position, the sharpest of which is scored",
    )
    focus: FocusConfig = FocusConfig()
    medium: MediumConfig = MediumConfig()
    acts: ActsConfig = ActsConfig()
    interval_s: Seconds = 43_200
    time_points: int = Field(default=20, ge=1)
    phases: tuple[PhaseConfig, ...] = Field(
        default=(), description="one after the other, in place of interval_s and time_points"
    )
    projection: ProjectionConfig = ProjectionConfig()
    poll_s: Seconds = 1

    @property
    def timing(self) -> tuple[PhaseConfig, ...]:
        """The phases, at least one."""
        one = PhaseConfig(interval_s=self.interval_s, time_points=self.time_points)
        return self.phases or (one,)

    @property
    def planned_time_points(self) -> int:
        """How many time points all phases have."""
        return sum(phase.time_points for phase in self.timing)

    @model_validator(mode="after")
    def _phases_stand_alone(self) -> Self:
        beside = {"interval_s", "time_points"} & self.model_fields_set
        if self.phases and beside:
            raise ValueError(
                f"{' and '.join(sorted(beside))} and phases cannot be set together: remove one"
            )
        return self

    @model_validator(mode="after")
    def _acquire_needs_a_plan(self) -> Self:
        given = [name for name in ("positions", "plan", "plate") if getattr(self, name)]
        if self.mode == "acquire" and not given:
            raise ValueError("mode acquire needs positions, or a plan or plate that gives them")
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} each give positions; leave one")
        return self


SourceConfig = Annotated[
    FolderSourceConfig | NDTiffSourceConfig | OmeZarrSourceConfig | MicroManagerSourceConfig,
    Field(discriminator="kind"),
]
