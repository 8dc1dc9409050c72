"""The strict models of `config.yaml`; they become core types."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from scopewatch.config.delivery import Address, ChannelUrl, DigestConfig, HeartbeatConfig
from scopewatch.config.rules import (
    AnyRuleConfig,
    BlindConfig,
    DiskLowConfig,
    EndedEarlyConfig,
    ModelRefusedConfig,
    OutlierWellConfig,
    PlateCollapseConfig,
    QuietHoursConfig,
    RestartedConfig,
    RuleConfig,
    SourceDeadConfig,
    SuddenChangeConfig,
    UnfitFramesConfig,
    WeakForecastConfig,
    refuse_bad_patterns,
)
from scopewatch.config.web import WebConfig
from scopewatch.core.alert_rule import AlertRule
from scopewatch.core.language import Language

__all__ = [
    "AlertsConfig",
    "BlindConfig",
    "ChannelConfig",
    "ChannelUrl",
    "Config",
    "DigestConfig",
    "DiskLowConfig",
    "EndedEarlyConfig",
    "ExperimentConfig",
    "FolderSourceConfig",
    "HeartbeatConfig",
    "LimitsConfig",
    "LoggingConfig",
    "MicroManagerSourceConfig",
    "ModelConfig",
    "ModelRefusedConfig",
    "NDTiffSourceConfig",
    "OutlierWellConfig",
    "OverlayConfig",
    "PlateCollapseConfig",
    "PositionConfig",
    "QuietHoursConfig",
    "RestartedConfig",
    "RuleConfig",
    "RuntimeConfig",
    "SourceConfig",
    "SourceDeadConfig",
    "StateConfig",
    "SuddenChangeConfig",
    "UnfitFramesConfig",
    "WeakForecastConfig",
    "WebConfig",
]

Fraction = Annotated[float, Field(gt=0, lt=1)]
Seconds = Annotated[float, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExperimentConfig(_Strict):
    """The differentiation run that is being watched."""

    name: str = Field(min_length=1, description="used where files and metadata do not name one")
    started_at: AwareDatetime | None = Field(
        default=None, description="day 0 (with time zone); null: the first frame seen"
    )
    day_from: Literal["acquired_at", "time_point"] = Field(
        default="acquired_at",
        description="acquired_at: from the frames' times; time_point: index x interval_h",
    )
    interval_h: float = Field(default=12, gt=0, description="hours between time points")
    final_day: float = Field(default=10, gt=0, description="the day that forecasts speak of")
    well_groups: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="groups of wells that should behave alike: B3, B*, or A1:B6",
    )
    sites_per_well: int = Field(default=1, ge=1, description="fields of view per well")
    phase_channel: str = Field(default="phase", description="the channel that is scored")
    fluorescence_channel: str | None = Field(
        default=None,
        min_length=1,
        description="the channel that measures the wells on the final day; null: none does",
    )
    simulated: bool = Field(default=False, description="marks every output as simulated")

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that are worked on; others are only recorded."""
        marker = self.fluorescence_channel
        return (self.phase_channel,) if marker is None else (self.phase_channel, marker)

    @model_validator(mode="after")
    def _channels_differ(self) -> Self:
        if self.fluorescence_channel == self.phase_channel:
            raise ValueError("fluorescence_channel is phase_channel: one is scored, one measures")
        return self

    @field_validator("well_groups")
    @classmethod
    def _groups_are_patterns(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for name, patterns in value.items():
            if not patterns:
                raise ValueError(f"group {name!r} holds no well")
            refuse_bad_patterns(patterns)
        return value


class ModelConfig(_Strict):
    """Which bundle scores the frames, and with how much of the machine."""

    bundle: Path
    threads: int = Field(default=2, ge=1, le=64)
    memory_budget_mb: int = Field(default=256, ge=32, description="frames above it go in strips")


# `A1`, `B12_s3`, `A1-Site_0` (Micro-Manager's plate generator)
POSITION_LABEL = r"(?P<well>[A-P]\d{1,2})(?:[-_ ]*(?:s|site|Site_)?(?P<site>\d+))?"


class FolderSourceConfig(_Strict):
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


class NDTiffSourceConfig(_Strict):
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


class PositionConfig(_Strict):
    """A stage position to visit."""

    label: str
    x_um: float
    y_um: float
    z_um: float | None = None


class ChannelConfig(_Strict):
    """A channel to acquire: a preset of a Micro-Manager configuration group."""

    group: str
    preset: str
    exposure_ms: float = Field(gt=0)


class MicroManagerSourceConfig(_Strict):
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


class StateConfig(_Strict):
    """Where scopewatch keeps what it makes; never within the raw data."""

    folder: Path = Path("state")


class OverlayConfig(_Strict):
    """How the virtual stain is drawn."""

    grid: bool = Field(default=False, description="draw the tile grid")
    stain_tiff: bool = Field(default=True, description="also write the stain as OME-TIFF")
    max_px: int = Field(default=2048, ge=128, description="longer side of the picture")
    keep_days: float | None = Field(
        default=365, gt=0, description="older pictures are removed, results never; null: all stay"
    )
    keep_gb: float | None = Field(
        default=50, gt=0, description="beyond it the oldest are removed; null: no limit"
    )


class AlertsConfig(_Strict):
    """What is called weak and who hears of it."""

    rules: tuple[AnyRuleConfig, ...] = ()
    quiet_hours: QuietHoursConfig | None = Field(
        default=None, description="for rules that name none of their own"
    )
    channels: tuple[ChannelUrl, ...] = ()
    language: Language = Field(default=Language.ENGLISH, description="of messages: en or ja")
    dashboard_url: Address | None = Field(
        default=None, description="as the readers of messages reach it; null: on this machine"
    )
    retry_s: Seconds = Field(default=60, description="after a first failure; then it doubles")
    break_after: int = Field(default=5, ge=1, description="failures in a row, then a rest")
    break_s: Seconds = Field(default=900, description="how long a channel rests at most")
    heartbeat: HeartbeatConfig | None = None
    digest: DigestConfig | None = None


class LimitsConfig(_Strict):
    """How much an image file may ask for; one that asks for more is quarantined, unread."""

    max_pixels: int = Field(default=8192 * 8192, ge=4, description="of one plane")
    max_planes: int = Field(default=100_000, ge=1, description="of one file")
    max_text_bytes: int = Field(
        default=64 * 1024 * 1024, ge=1024, description="of one OME-XML, tag or metadata.txt"
    )


class RuntimeConfig(_Strict):
    """Queues and clocks of the daemon."""

    inbox: int = Field(default=1000, ge=1, description="frames that may wait in memory")
    rescan_s: Seconds = 30
    stall_s: Seconds = Field(default=50, description="a stage without progress is called hung")
    end_on_stall_s: Seconds | None = Field(
        default=10,
        description="how long a hung stage may stay so without a watchdog of systemd, then the"
        " process ends with status 3; null: it goes on",
    )
    max_attempts: int = Field(default=2, ge=1, description="then a frame is quarantined")
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"


class LoggingConfig(_Strict):
    """A file that the log goes to as well, turned over by its size."""

    file: Path | None = Field(
        default=None, description="relative to the state folder, ends in .log; null: none"
    )
    max_mb: float = Field(default=10, gt=0, le=1000, description="then a new file is begun")
    keep: int = Field(default=5, ge=1, le=1000, description="how many older files are kept")

    @field_validator("file")
    @classmethod
    def _is_a_log(cls, value: Path | None) -> Path | None:
        # Beside it lie the database, its lock and the pictures: none of them may be written into.
        if value is not None and value.suffix != ".log":
            raise ValueError("the name of the log file ends in .log")
        return value


class Config(_Strict):
    """The whole of `config.yaml`."""

    experiment: ExperimentConfig
    model: ModelConfig
    sources: tuple[SourceConfig, ...] = Field(min_length=1)
    state: StateConfig = StateConfig()
    overlays: OverlayConfig = OverlayConfig()
    alerts: AlertsConfig = AlertsConfig()
    web: WebConfig = WebConfig()
    limits: LimitsConfig = LimitsConfig()
    runtime: RuntimeConfig = RuntimeConfig()
    logging: LoggingConfig = LoggingConfig()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for what, names in (
            ("sources", [source.name for source in self.sources]),
            ("alerts.rules", [rule.name for rule in self.alerts.rules]),
            ("alerts.channels", [channel.name for channel in self.alerts.channels]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what}: names must differ, but {', '.join(twice)} stands twice")
        return self

    @model_validator(mode="after")
    def _rules_name_known_groups(self) -> Self:
        for rule in self.alerts.rules:
            unknown = sorted(set(rule.names_groups()) - set(self.experiment.well_groups))
            if unknown:
                raise ValueError(
                    f"alerts.rules: {rule.name!r} names groups that experiment.well_groups lacks:"
                    f" {', '.join(unknown)}"
                )
        return self

    def alert_rules(self) -> tuple[AlertRule, ...]:
        """Return the rules as the core takes them: groups and quiet hours filled in."""
        quiet = self.alerts.quiet_hours
        return tuple(
            rule.rule(
                groups=self.experiment.well_groups,
                quiet_hours=quiet.hours() if quiet is not None else None,
            )
            for rule in self.alerts.rules
        )
