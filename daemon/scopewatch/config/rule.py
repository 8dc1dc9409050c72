"""Base of all alert rules in `config.yaml`, and of those that judge wells at each time point."""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from scopewatch.config.strict import Strict
from scopewatch.core.alerts.quiet_hours import QuietHours
from scopewatch.core.alerts.rules import AlertRule, RuleKind, Severity
from scopewatch.core.alerts.scope import check_pattern

Hours = Annotated[float, Field(ge=0)]
WellGroups = Mapping[str, tuple[str, ...]]


class QuietHoursConfig(Strict):
    """Hours in which only critical alerts are sent; other messages wait until they end."""

    start: time = Field(description="wall-clock time, 22:00; may lie after the end")
    end: time
    zone: str = Field(description="IANA time zone, Asia/Tokyo")

    @field_validator("start", "end", mode="before")
    @classmethod
    def _are_quoted(cls, value: Any) -> Any:
        # YAML reads 22:00 without quotes as the number 1320, which would be taken for 00:22.
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
        """Return the quiet hours as a core type."""
        return QuietHours(**self.model_dump())


class Rule(Strict):
    """Settings of all rules."""

    name: str = Field(min_length=1, max_length=100, description="unique; appears in messages")
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
        """Return the rule as a core type.

        Parameters
        ----------
        groups
            Content of `experiment.well_groups`.
        quiet_hours
            Quiet hours for rules without their own.
        """
        return AlertRule(
            name=self.name,
            kind=self.kind,
            severity=self.severity,
            cooldown_h=self.cooldown_h,
            escalate_after_h=self.escalate_after_h,
            quiet_hours=self.quiet_hours.hours() if self.quiet_hours else quiet_hours,
            runs=self.experiments,
            **self._limits(),
            **self._scope(groups or {}),
        )

    def names_groups(self) -> tuple[str, ...]:
        """Return the well groups that the rule uses."""
        return ()

    @abstractmethod
    def _limits(self) -> dict[str, Any]:
        """Return the fields of the core rule that hold its limits."""

    def _scope(self, _groups: WellGroups) -> dict[str, Any]:
        return {}


class TimedRule(Rule):
    """Settings of rules that judge at each time point."""

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
        """Return the well groups that the rule uses."""
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


def refuse_bad_patterns(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return well patterns, or raise ValueError at the first invalid one."""
    for pattern in patterns:
        wrong = check_pattern(pattern)
        if wrong:
            raise ValueError(f"pattern of wells {pattern!r} {wrong}")
    return patterns
