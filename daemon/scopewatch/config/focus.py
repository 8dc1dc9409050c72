"""Settings that hold the focus while scopewatch acquires."""

from typing import Literal, Self

from pydantic import Field, model_validator

from scopewatch.config.strict import Seconds, Strict


class MediumConfig(Strict):
    """Where the objective goes while somebody changes the medium."""

    lift_to_um: float | None = Field(
        default=None,
        description="height of the focus drive, away from the plate; null: no medium change",
    )
    wait_min: float | None = Field(
        default=None, gt=0, description="how long; null: until somebody resumes it"
    )


class FocusConfig(Strict):
    """How the focus is found before images are taken, and how far it may move."""

    method: Literal["none", "lock", "autofocus"] = Field(
        default="none",
        description="lock: the hardware's continuous focus, locked while images are taken;"
        " autofocus: one search of the autofocus device; none: z_um as it is",
    )
    device: str | None = Field(
        default=None, description="autofocus device; null: that of the hardware configuration"
    )
    every: Literal["time-point", "well", "position"] = Field(
        default="time-point", description="how often within a time point it is searched"
    )
    references: tuple[str, ...] = Field(
        default=(),
        description="labels of the positions it is found at for all others, once each time point"
        " (autofocus); none: the first position",
    )
    max_step_um: float = Field(
        default=20, gt=0, description="farthest from the last good focus; beyond it is a failure"
    )
    max_drift_um: float = Field(
        default=100, gt=0, description="farthest from the planned focus; beyond it is a failure"
    )
    wait_s: Seconds = Field(default=10, description="how long the lock may take")
    on_failure: Literal["image", "skip"] = Field(
        default="image",
        description="image: taken at the last good focus, marked; skip: tried again, then a gap",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.references and (self.method != "autofocus" or self.every != "time-point"):
            raise ValueError("references are for method autofocus, every time-point")
        if self.max_drift_um < self.max_step_um:
            raise ValueError("max_drift_um is below max_step_um: no step could go so far")
        return self
