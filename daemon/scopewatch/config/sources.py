"""Where the frames of `config.yaml` come from: one strict model for each kind of source."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from scopewatch.config.strict import Seconds, Strict

# `A1`, `B12_s3`, `A1-Site_0` (Micro-Manager's plate generator)
POSITION_LABEL = r"(?P<well>[A-P]\d{1,2})(?:[-_ ]*(?:s|site|Site_)?(?P<site>\d+))?"


class FolderSourceConfig(Strict):
    """Image files that appear in a folder."""

    kind: Literal["folder"]
    name: str = Field(default="folder", pattern=r"^[\w.-]+$")
    path: Path
    pattern: str = Field(
        default="scopewatch",
        description="a preset (scopewatch, micromanager, incucyte, keyence, evos) or a regular"
        " expression with named groups plate, well, site, time_point, channel",
    )
    recursive: bool = True
    observer: Literal["native", "polling"] = Field(
        default="native", description="polling for SMB/NFS shares, where events do not arrive"
    )
    poll_s: Seconds = 5
    settle_s: float = Field(default=2, ge=0, description="quiet time before a file is trusted")
    give_up_s: Seconds = Field(default=120, description="after this a broken file is quarantined")
    position: str = Field(
        default=POSITION_LABEL,
        description="regular expression that reads plate, well and site from position labels",
    )
    z: int = Field(default=0, ge=0, description="plane of a z-stack that is scored")
    um_per_px: float | None = Field(default=None, gt=0, description="where files do not say")


class NDTiffSourceConfig(Strict):
    """An NDTiff data set (Micro-Manager, pycro-manager), also while it grows."""

    kind: Literal["ndtiff"]
    name: str = Field(default="ndtiff", pattern=r"^[\w.-]+$")
    path: Path = Field(description="the data set, or a folder in which data sets appear")
    position: str = Field(
        default=POSITION_LABEL,
        description="regular expression that reads plate, well and site from position labels",
    )
    z: int = Field(default=0, ge=0, description="plane of a z-stack that is scored")
    poll_s: Seconds = 1
    um_per_px: float | None = Field(default=None, gt=0)


class PositionConfig(Strict):
    """A stage position to visit."""

    label: str
    x_um: float
    y_um: float
    z_um: float | None = None


class ChannelConfig(Strict):
    """A channel to acquire: a preset of a Micro-Manager configuration group."""

    group: str
    preset: str
    exposure_ms: float = Field(gt=0)


class MicroManagerSourceConfig(Strict):
    """A microscope driven (acquire) or accompanied (follow) through pycro-manager."""

    kind: Literal["micromanager"]
    name: str = Field(default="micromanager", pattern=r"^[\w.-]+$")
    mode: Literal["acquire", "follow"]
    path: Path = Field(description="where data sets are written (acquire) or appear (follow)")
    backend: Literal["python", "java"] = "python"
    mm_app_path: Path | None = Field(default=None, description="Micro-Manager folder (adapters)")
    mm_config: Path | None = Field(default=None, description="hardware configuration file")
    port: int = Field(default=4827, description="of the Java bridge")
    positions: tuple[PositionConfig, ...] = ()
    channels: tuple[ChannelConfig, ...] = ()
    interval_s: Seconds = 43_200
    time_points: int = Field(default=20, ge=1)
    position: str = POSITION_LABEL
    z: int = Field(default=0, ge=0, description="plane of a z-stack that is scored")
    poll_s: Seconds = 1
    um_per_px: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _acquire_needs_a_plan(self) -> Self:
        if self.mode == "acquire" and not self.positions:
            raise ValueError("mode acquire needs positions")
        return self


SourceConfig = Annotated[
    FolderSourceConfig | NDTiffSourceConfig | MicroManagerSourceConfig,
    Field(discriminator="kind"),
]
