"""The differentiation run of `config.yaml`."""

from typing import Any, Literal, Self

from pydantic import AwareDatetime, Field, field_validator, model_validator

from scopewatch.config.strict import Strict
from scopewatch.core.alerts.scope import check_pattern
from scopewatch.core.imaging.frame import MOST_NAME


class RunConfig(Strict):
    """The differentiation run that is being watched."""

    name: str = Field(
        min_length=1,
        max_length=MOST_NAME,
        description="used where files and metadata do not name one",
    )
    started_at: AwareDatetime | None = Field(
        default=None, description="day 0 (with time zone); null: the first frame seen"
    )
    day_from: Literal["acquired_at", "time_point"] = Field(
        default="acquired_at",
        description="acquired_at: from the frames' times; time_point: index x interval_h",
    )
    interval_h: float = Field(default=12, gt=0, description="hours between time points")
    final_day: float = Field(default=10, gt=0, description="the day that forecasts refer to")
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

    @field_validator("started_at", mode="before")
    @classmethod
    def _is_no_number(cls, value: Any) -> Any:
        # 20261120 would pass for so many seconds since 1970.
        if isinstance(value, int | float) or (isinstance(value, str) and value.strip().isdecimal()):
            raise ValueError("a number is no time, write 2026-11-20T09:00:00+01:00")
        return value

    @field_validator("well_groups")
    @classmethod
    def _groups_are_patterns(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        wrong = [
            f"group {name!r} holds no well" for name, patterns in value.items() if not patterns
        ]
        wrong += [
            f"pattern of wells {pattern!r} {why}"
            for patterns in value.values()
            for pattern in patterns
            if (why := check_pattern(pattern))
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        return value
