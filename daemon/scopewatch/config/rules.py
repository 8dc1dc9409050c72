"""Alert rules of `config.yaml`: one strict model for each kind, so that misplaced keys are refused.

This module holds the rules that judge wells and plates; `monitor_rules` holds those of the monitor
itself. A rule without `kind` is a weak-now rule, the only kind of the first versions.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from scopewatch.config.monitor_rules import (
    DiskLowConfig,
    EndedEarlyConfig,
    ModelRefusedConfig,
    NoFramesConfig,
    ReloadRefusedConfig,
    RestartedConfig,
    SourceDeadConfig,
)
from scopewatch.config.rule import Rule, TimedRule, WellGroups
from scopewatch.config.strict import Fraction
from scopewatch.core.alerts.rules import DEFAULT_LIMITS, RuleKind, Severity


class WeakForecastConfig(TimedRule):
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


class RuleConfig(TimedRule):
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


class PlateCollapseConfig(TimedRule):
    """Most wells of a plate fail at once: one alert that names them, in place of one for each."""

    kind: Literal[RuleKind.PLATE_COLLAPSE]
    severity: Severity = Severity.CRITICAL
    consecutive: int = Field(default=1, ge=1, description="time points in a row that must agree")
    share: Fraction = Field(default=0.5, description="of the wells; six wells at the least")
    hysteresis: Fraction = Field(default=0.2, description="resolves at share - this")

    def _limits(self) -> dict[str, Any]:
        return {"limit": self.share, **self._when(self.hysteresis)}


class OutlierWellConfig(TimedRule):
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


class SuddenChangeConfig(TimedRule):
    """A well looks suddenly different: cells come off, or something grows in it."""

    kind: Literal[RuleKind.SUDDEN_CHANGE]
    size: float = Field(default=1, gt=0, description="of the jump; 1 is just noticeable")
    hysteresis: float = Field(default=0.3, ge=0, description="resolves at size - this")

    def _limits(self) -> dict[str, Any]:
        return {"limit": self.size, **self._when(self.hysteresis)}


class UnfitFramesConfig(TimedRule):
    """No frame of a well could be judged for several time points: dark, blurred, empty."""

    kind: Literal[RuleKind.UNFIT_FRAMES]
    consecutive: int = Field(default=2, ge=1, description="time points in a row that must agree")

    def _limits(self) -> dict[str, Any]:
        return self._when(0)


def _kind_of(value: Any) -> str | None:
    if isinstance(value, Rule):
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
    | Annotated[NoFramesConfig, Tag("no-frames")]
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
