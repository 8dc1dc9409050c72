"""Strict models of the whole `config.yaml`; they become core types."""

import json
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    field_validator,
    model_validator,
)

from scopewatch.config.delivery import Address, ChannelUrl, DigestConfig, HeartbeatConfig
from scopewatch.config.old_names import modernise
from scopewatch.config.rule import QuietHoursConfig
from scopewatch.config.rules import AnyRuleConfig
from scopewatch.config.run import RunConfig
from scopewatch.config.sources import MicroManagerSourceConfig, SourceConfig
from scopewatch.config.store import OverlayConfig, StoreConfig
from scopewatch.config.strict import Seconds, Strict
from scopewatch.config.web import WebConfig
from scopewatch.core.alerts.implied_rules import implied_rules
from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.deprecation import Deprecation
from scopewatch.core.phrases import Language


class ModelConfig(Strict):
    """The bundle that scores the frames, and its share of the machine."""

    bundle: Path
    threads: int = Field(default=2, ge=1, le=64)
    memory_budget_mb: int = Field(default=256, ge=32, description="frames above it go in strips")
    runtime: Literal["litert", "openvino", "tflite-runtime"] | None = Field(
        default=None,
        description="what runs the network; another one than litert is compared with it first, and"
        " refused where it scores otherwise on this processor; null: litert, or tflite-runtime"
        " where only that is installed",
    )


class StateConfig(Strict):
    """Where scopewatch stores its results; never within the raw data."""

    folder: Path = Path("state")


class AlertsConfig(Strict):
    """Which wells are called weak, and who is notified."""

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


class LimitsConfig(Strict):
    """How much an image file may need; a file that needs more is quarantined, unread."""

    max_pixels: int = Field(default=8192 * 8192, ge=4, description="of one plane")
    max_planes: int = Field(default=100_000, ge=1, description="of one file")
    max_text_bytes: int = Field(
        default=64 * 1024 * 1024, ge=1024, description="of one OME-XML, tag or metadata.txt"
    )


class RuntimeConfig(Strict):
    """Queues and clocks of the daemon."""

    inbox: int = Field(default=1000, ge=1, description="frames that may wait in memory")
    rescan_s: Seconds = 30
    stall_s: Seconds = Field(default=50, description="a stage without progress is called hung")
    end_on_stall_s: Seconds | None = Field(
        default=10,
        description="how long a hung stage may stay so where no watchdog of systemd ends it (that"
        " one begins with READY=1), then the process ends with status 3; null: it goes on",
    )
    max_attempts: int = Field(default=2, ge=1, description="then a frame is quarantined")
    burst_per_s: float = Field(
        default=5, gt=0, description="from so many images a second on scoring waits for their end"
    )
    burst_wait_s: float = Field(
        default=60, ge=0, description="at most so long; then it works beside them; 0: never"
    )
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"


class LoggingConfig(Strict):
    """A log file in addition to the journal, rotated by its size."""

    file: Path | None = Field(
        default=None, description="relative to the state folder, ends in .log; null: none"
    )
    max_mb: float = Field(default=10, gt=0, le=1000, description="then a new file is begun")
    keep: int = Field(default=5, ge=1, le=1000, description="how many older files are kept")

    @field_validator("file")
    @classmethod
    def _is_a_log(cls, value: Path | None) -> Path | None:
        # The database, its lock and the pictures are in the same folder: none may be overwritten.
        if value is not None and value.suffix != ".log":
            raise ValueError("the name of the log file ends in .log")
        return value


class Config(Strict):
    """The whole of `config.yaml`."""

    experiment: RunConfig
    model: ModelConfig
    sources: tuple[SourceConfig, ...] = Field(min_length=1)
    state: StateConfig = StateConfig()
    store: StoreConfig = StoreConfig()
    overlays: OverlayConfig = OverlayConfig()
    alerts: AlertsConfig = AlertsConfig()
    web: WebConfig = WebConfig()
    limits: LimitsConfig = LimitsConfig()
    runtime: RuntimeConfig = RuntimeConfig()
    logging: LoggingConfig = LoggingConfig()
    _deprecations: tuple[Deprecation, ...] = PrivateAttr(default=())

    @property
    def deprecations(self) -> tuple[Deprecation, ...]:
        """Each old name that the file used; it was read as the new one."""
        return self._deprecations

    @model_validator(mode="wrap")
    @classmethod
    def _with_todays_names(cls, raw: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        renamed, deprecations = modernise(raw)
        config = validate(renamed)
        if deprecations:
            config._deprecations = deprecations
        return config

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for what, names in (
            ("sources", [source.name for source in self.sources]),
            ("alerts.rules", [rule.name for rule in self.alerts.rules]),
            ("alerts.channels", [channel.name for channel in self.alerts.channels]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what}: names must differ, but {', '.join(twice)} is used twice")
        return self

    @model_validator(mode="after")
    def _rules_name_known_groups(self) -> Self:
        for rule in self.alerts.rules:
            groups = self.experiment.well_groups
            unknown = sorted(set(rule.names_groups()) - set(groups))
            if unknown:
                known = ", ".join(sorted(groups)) or "none"
                raise ValueError(
                    f"alerts.rules: rule {rule.name!r} names group {', '.join(unknown)};"
                    f" the groups of experiment.well_groups are: {known}"
                )
        return self

    @property
    def pictures(self) -> Path:
        """The folder of the pictures: of this daemon alone, since it removes old ones."""
        if self.overlays.folder is None:
            return self.state.folder / "overlays"
        return self.overlays.folder / (self.store.daemon or "")

    @property
    def picture_copies(self) -> str | None:
        """Where pictures are copied to: of this daemon alone; None where they are not."""
        place = self.overlays.copy_to
        return place if place is None or not self.store.daemon else f"{place}/{self.store.daemon}"

    @property
    def acquiring(self) -> tuple[MicroManagerSourceConfig, ...]:
        """The sources that run a time-lapse themselves."""
        return tuple(
            source
            for source in self.sources
            if isinstance(source, MicroManagerSourceConfig) and source.mode == "acquire"
        )

    def alert_rules(self) -> tuple[AlertRule, ...]:
        """Return the rules as core types: groups and quiet hours filled in."""
        quiet = self.alerts.quiet_hours
        return tuple(
            rule.rule(
                groups=self.experiment.well_groups,
                quiet_hours=quiet.hours() if quiet is not None else None,
            )
            for rule in self.alerts.rules
        )

    def stepped_rules(self) -> tuple[AlertRule, ...]:
        """Return the rules that are stepped: the configured ones, and those that follow from them.

        A rule of frames that cannot be judged gets a rule of plates beside it, unless one is
        configured for the same wells: an event that hits a whole plate is reported once.
        """
        rules = self.alert_rules()
        return (*rules, *implied_rules(rules))


def schema_text() -> str:
    """Return the JSON schema of `config.yaml`, for editors that complete and check it."""
    return json.dumps(Config.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
