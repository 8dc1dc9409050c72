"""The alert rules of `config.yaml`: one strict model for each kind, so that a misplaced key shows.

A rule without `kind` is a weak-now rule, as all were before there were others.
"""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from scopewatch.core.alert_rule import DEFAULT_LIMITS, AlertRule, QuietHours, RuleKind, Severity
from scopewatch.core.alert_scope import check_pattern

Fraction = Annotated[float, Field(gt=0, lt=1)]
Hours = Annotated[float, Field(ge=0)]
WellGroups = Mapping[str, tuple[str, ...]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class QuietHoursConfig(_Strict):
    """When only critical alerts are told; what else happens waits until they end."""

    start: time = Field(description="wall-clock time, 22:00; may lie after the end")
    end: time
    zone: str = Field(description="IANA time zone, Asia/Tokyo")

    @field_validator("start", "end", mode="before")
    @classmethod
    def _are_quoted(cls, value: Any) -> Any:
        # YAML reads 22:00 without quotes as the number 1320, which would pass for 00:22.
        if isinstance(value, int | float):
            raise ValueError('write the time in quotes, "22:00"')
        return value

    @field_validator("start", "end")
    @classmethod
    def _are_wall_clock(cls, value: time) -> time:
        if value.tzinfo is not None:
            raise ValueError("give the time without a zone; the zone has its own key")
        return value

    @field_validator("zone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("no such time zone; give an IANA name such as Asia/Tokyo") from error
        return value

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.start == self.end:
            raise ValueError("quiet hours start and end at one time: leave them out instead")
        return self

    def hours(self) -> QuietHours:
        """Return the quiet hours as the core takes them."""
        return QuietHours(**self.model_dump())


class _Rule(_Strict):
    """What all rules have."""

    name: str = Field(min_length=1, description="unique; stands in the message")
    kind: RuleKind
    severity: Severity = Severity.WARNING
    cooldown_h: Hours = Field(
        default=24, description="hours in which the same rule raises no second alert of a subject"
    )
    escalate_after_h: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="unseen for so long an alert becomes critical; null: never"
    )
    quiet_hours: QuietHoursConfig | None = Field(
        default=None, description="null: those of alerts.quiet_hours"
    )
    experiments: tuple[str, ...] = Field(
        default=(), description="patterns of the experiments it watches; none: all"
    )

    def rule(
        self, *, groups: WellGroups | None = None, quiet_hours: QuietHours | None = None
    ) -> AlertRule:
        """Return the rule as the core takes it.

        Parameters
        ----------
        groups
            `experiment.well_groups`.
        quiet_hours
            Those of rules that name none.
        """
        return AlertRule(
            name=self.name,
            kind=self.kind,
            severity=self.severity,
            cooldown_h=self.cooldown_h,
            escalate_after_h=self.escalate_after_h,
            quiet_hours=self.quiet_hours.hours() if self.quiet_hours else quiet_hours,
            experiments=self.experiments,
            **self._limits(),
            **self._scope(groups or {}),
        )

    def names_groups(self) -> tuple[str, ...]:
        """Return the well groups that the rule names."""
        return ()

    @abstractmethod
    def _limits(self) -> dict[str, Any]:
        """Return the fields of the core's rule that say when."""

    def _scope(self, _groups: WellGroups) -> dict[str, Any]:
        return {}


class _Timed(_Rule):
    """What rules have that judge at each time point."""

    from_day: float = Field(default=0, ge=0, description="no judgement before this day")
    consecutive: int = Field(default=2, ge=1, description="time points in a row that must agree")
    plates: tuple[str, ...] = Field(
        default=(), description="patterns of the plates it watches; none: all"
    )
    wells: tuple[str, ...] = Field(
        default=(), description="wells it watches: B3, B*, or A1:B6; none: all"
    )
    groups: tuple[str, ...] = Field(
        default=(), description="groups of experiment.well_groups that it watches; none: all"
    )

    @field_validator("wells")
    @classmethod
    def _wells_are_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return refuse_bad_patterns(value)

    @model_validator(mode="after")
    def _wells_or_groups(self) -> Self:
        if self.wells and self.groups:
            raise ValueError("give wells or groups, not both")
        return self

    def names_groups(self) -> tuple[str, ...]:
        return self.groups

    def _scope(self, groups: WellGroups) -> dict[str, Any]:
        grouped = tuple(pattern for group in self.groups for pattern in groups[group])
        return {"plates": self.plates, "wells": self.wells or grouped}

    def _when(self, hysteresis: float) -> dict[str, Any]:
        return {
            "from_day": self.from_day,
            "consecutive": self.consecutive,
            "hysteresis": hysteresis,
        }


class WeakForecastConfig(_Timed):
    """A well will end weak: P(final efficiency < target) exceeds p_warning."""

    kind: Literal[RuleKind.WEAK_FORECAST]
    target: Fraction = Field(default=0.5, description="efficiency a well should reach")
    p_warning: Fraction = Field(
        default=DEFAULT_LIMITS[RuleKind.WEAK_FORECAST],
        description="probability of ending below the target that is worth a warning",
    )
    p_critical: Fraction | None = Field(default=0.95, description="null: never critical")
    hysteresis: Fraction = Field(default=0.3, description="resolves at p_warning - this")

    @model_validator(mode="after")
    def _are_ordered(self) -> Self:
        if self.p_critical is not None and self.p_critical < self.p_warning:
            raise ValueError("p_critical lies below p_warning")
        return self

    def _limits(self) -> dict[str, Any]:
        return {
            "target": self.target,
            "limit": self.p_warning,
            "critical_limit": self.p_critical,
            **self._when(self.hysteresis),
        }


class RuleConfig(_Timed):
    """A well is weak now: its efficiency stays below a target."""

    kind: Literal[RuleKind.WEAK_NOW] = RuleKind.WEAK_NOW
    target: Fraction = Field(default=0.5, description="efficiency a well should have by then")
    critical_target: Fraction | None = Field(default=None, description="below it: critical")
    from_day: float = Field(default=8, ge=0, description="no judgement before this day")
    consecutive: int = Field(default=3, ge=1, description="time points in a row that must agree")
    hysteresis: float = Field(default=0.05, ge=0, lt=1, description="resolves at target + this")

    @model_validator(mode="after")
    def _are_ordered(self) -> Self:
        if self.critical_target is not None and self.critical_target > self.target:
            raise ValueError("critical_target lies above target")
        return self

    def _limits(self) -> dict[str, Any]:
        critical = self.critical_target
        return {
            "target": self.target,
            "critical_limit": None if critical is None else self.target - critical,
            **self._when(self.hysteresis),
        }


class PlateCollapseConfig(_Timed):
    """Most wells of a plate fail at once: one alert that names them, in place of one for each."""

    kind: Literal[RuleKind.PLATE_COLLAPSE]
    severity: Severity = Severity.CRITICAL
    consecutive: int = Field(default=1, ge=1, description="time points in a row that must agree")
    share: Fraction = Field(default=0.5, description="of the wells; six wells at the least")
    hysteresis: Fraction = Field(default=0.2, description="resolves at share - this")

    def _limits(self) -> dict[str, Any]:
        return {"limit": self.share, **self._when(self.hysteresis)}


class OutlierWellConfig(_Timed):
    """A well lies far below its replicates."""

    kind: Literal[RuleKind.OUTLIER_WELL]
    from_day: float = Field(default=6, ge=0, description="no judgement before this day")
    z: float = Field(default=4, gt=0, description="robust spreads below the replicates' median")
    hysteresis: float = Field(default=1, ge=0, description="resolves at z - this")

    def _limits(self) -> dict[str, Any]:
        return {"limit": self.z, **self._when(self.hysteresis)}

    def _scope(self, groups: WellGroups) -> dict[str, Any]:
        chosen = self.groups or tuple(groups)
        replicates = tuple(groups[group] for group in chosen)
        return super()._scope(groups) | {"replicates": replicates}


class SuddenChangeConfig(_Timed):
    """A well looks suddenly different: cells come off, or something grows in it."""

    kind: Literal[RuleKind.SUDDEN_CHANGE]
    size: float = Field(default=1, gt=0, description="of the jump; 1 is just noticeable")
    hysteresis: float = Field(default=0.3, ge=0, description="resolves at size - this")

    def _limits(self) -> dict[str, Any]:
        return {"limit": self.size, **self._when(self.hysteresis)}


class UnfitFramesConfig(_Timed):
    """No frame of a well could be judged for several time points: dark, blurred, empty."""

    kind: Literal[RuleKind.UNFIT_FRAMES]
    consecutive: int = Field(default=2, ge=1, description="time points in a row that must agree")

    def _limits(self) -> dict[str, Any]:
        return self._when(0)


class BlindConfig(_Rule):
    """No frame came for several intervals, though the run is not over."""

    kind: Literal[RuleKind.BLIND]
    cooldown_h: Hours = 1
    intervals: float = Field(default=2, gt=0, description="of experiment.interval_h")
    critical_intervals: float | None = Field(default=4, gt=0, description="null: never critical")

    @model_validator(mode="after")
    def _are_ordered(self) -> Self:
        if self.critical_intervals is not None and self.critical_intervals < self.intervals:
            raise ValueError("critical_intervals is less than intervals")
        return self

    def _limits(self) -> dict[str, Any]:
        return {"limit": self.intervals, "critical_limit": self.critical_intervals}


class SourceDeadConfig(_Rule):
    """A source cannot watch any more, or the camera that it acquires with gives no image."""

    kind: Literal[RuleKind.SOURCE_DEAD]
    cooldown_h: Hours = 1
    minutes: float = Field(default=5, gt=0, description="without interruption")
    critical_minutes: float | None = Field(default=60, gt=0, description="null: never critical")

    @model_validator(mode="after")
    def _are_ordered(self) -> Self:
        if self.critical_minutes is not None and self.critical_minutes < self.minutes:
            raise ValueError("critical_minutes is less than minutes")
        return self

    def _limits(self) -> dict[str, Any]:
        return {"limit": self.minutes, "critical_limit": self.critical_minutes}


class EndedEarlyConfig(_Rule):
    """The acquisition ended before the final day."""

    kind: Literal[RuleKind.ENDED_EARLY]

    def _limits(self) -> dict[str, Any]:
        return {}


class DiskLowConfig(_Rule):
    """The disk that holds the results fills up."""

    kind: Literal[RuleKind.DISK_LOW]
    free_gb: float = Field(default=5, gt=0, description="less is worth an alert")
    critical_free_gb: float | None = Field(default=1, gt=0, description="null: never critical")
    hysteresis: float = Field(default=1, ge=0, description="resolves at free_gb + this")

    @model_validator(mode="after")
    def _are_ordered(self) -> Self:
        if self.critical_free_gb is not None and self.critical_free_gb > self.free_gb:
            raise ValueError("critical_free_gb is more than free_gb")
        return self

    def _limits(self) -> dict[str, Any]:
        critical = self.critical_free_gb
        return {
            "limit": -self.free_gb,
            "critical_limit": None if critical is None else -critical,
            "hysteresis": self.hysteresis,
        }


class RestartedConfig(_Rule):
    """The daemon came back from an end that nobody asked for."""

    kind: Literal[RuleKind.RESTARTED]
    severity: Severity = Severity.INFO
    cooldown_h: Hours = 6

    def _limits(self) -> dict[str, Any]:
        return {}


class ModelRefusedConfig(_Rule):
    """The model bundle was refused: nothing is judged until it is mended."""

    kind: Literal[RuleKind.MODEL_REFUSED]
    severity: Severity = Severity.CRITICAL
    cooldown_h: Hours = 1

    def _limits(self) -> dict[str, Any]:
        return {}


class ReloadRefusedConfig(_Rule):
    """A changed configuration or model was refused: the daemon goes on with the old one."""

    kind: Literal[RuleKind.RELOAD_REFUSED]
    cooldown_h: Hours = 1

    def _limits(self) -> dict[str, Any]:
        return {}


def refuse_bad_patterns(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return patterns of wells, or raise ValueError on the first that is none."""
    for pattern in patterns:
        wrong = check_pattern(pattern)
        if wrong:
            raise ValueError(f"pattern of wells {pattern!r} {wrong}")
    return patterns


def _kind_of(value: Any) -> str | None:
    if isinstance(value, _Rule):
        return value.kind.value
    kind = value.get("kind", RuleKind.WEAK_NOW) if isinstance(value, dict) else RuleKind.WEAK_NOW
    return kind if isinstance(kind, str) else None


AnyRuleConfig = Annotated[
    Annotated[WeakForecastConfig, Tag("weak-forecast")]
    | Annotated[RuleConfig, Tag("weak-now")]
    | Annotated[PlateCollapseConfig, Tag("plate-collapse")]
    | Annotated[OutlierWellConfig, Tag("outlier-well")]
    | Annotated[SuddenChangeConfig, Tag("sudden-change")]
    | Annotated[UnfitFramesConfig, Tag("unfit-frames")]
    | Annotated[BlindConfig, Tag("blind")]
    | Annotated[SourceDeadConfig, Tag("source-dead")]
    | Annotated[EndedEarlyConfig, Tag("ended-early")]
    | Annotated[DiskLowConfig, Tag("disk-low")]
    | Annotated[RestartedConfig, Tag("restarted")]
    | Annotated[ModelRefusedConfig, Tag("model-refused")]
    | Annotated[ReloadRefusedConfig, Tag("reload-refused")],
    Discriminator(
        _kind_of,
        custom_error_type="unknown_kind_of_rule",
        custom_error_message="kind is none of " + ", ".join(RuleKind),
    ),
]
