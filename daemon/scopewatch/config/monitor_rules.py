"""Alert rules of `config.yaml` that watch the monitor itself: silence, sources, disk, restarts."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from scopewatch.config.rule import Hours, Rule
from scopewatch.core.alerts.rules import RuleKind, Severity


class NoFramesConfig(Rule):
    """No frame came for several intervals, though the run is not over."""

    kind: Literal[RuleKind.NO_FRAMES]
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


class SourceDeadConfig(Rule):
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


class EndedEarlyConfig(Rule):
    """The acquisition ended before the final day."""

    kind: Literal[RuleKind.ENDED_EARLY]

    def _limits(self) -> dict[str, Any]:
        return {}


class DiskLowConfig(Rule):
    """The disk that holds the results, or the images of a microscope, fills up."""

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


class RestartedConfig(Rule):
    """The daemon restarted after an end that nobody asked for."""

    kind: Literal[RuleKind.RESTARTED]
    severity: Severity = Severity.INFO
    cooldown_h: Hours = 6

    def _limits(self) -> dict[str, Any]:
        return {}


class ModelRefusedConfig(Rule):
    """The model bundle was refused: nothing is judged until it is repaired."""

    kind: Literal[RuleKind.MODEL_REFUSED]
    severity: Severity = Severity.CRITICAL
    cooldown_h: Hours = 1

    def _limits(self) -> dict[str, Any]:
        return {}


class ReloadRefusedConfig(Rule):
    """A changed configuration or model was refused: the daemon continues with the old one."""

    kind: Literal[RuleKind.RELOAD_REFUSED]
    cooldown_h: Hours = 1

    def _limits(self) -> dict[str, Any]:
        return {}
