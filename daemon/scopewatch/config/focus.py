"""Settings that hold the focus while scopewatch acquires, and of the planes around it."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from scopewatch.config.strict import Seconds, Strict

MOST_PLANES: Final = 32
_SAME: Final = 1e-6


class ZStackConfig(Strict):
    """Planes around the z of each position, in which the phase channel is taken.

    One of three forms: `range_um` with `step_um`, `below_um` and `above_um` with `step_um`, or
    `offsets_um`.
    """

    range_um: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        default=None, description="from the lowest plane to the highest, half of it below z"
    )
    below_um: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        default=None, description="from z down to the lowest plane, in place of range_um"
    )
    above_um: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        default=None, description="from z up to the highest plane, in place of range_um"
    )
    step_um: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        default=None, description="from plane to plane"
    )
    offsets_um: tuple[FiniteFloat, ...] = Field(
        default=(),
        description="the planes from z, as they are taken, in place of a range: [-4, -1, 0, 1, 4]",
    )

    @model_validator(mode="after")
    def _is_one_form(self) -> Self:
        given = {
            name
            for name in ("range_um", "below_um", "above_um", "step_um", "offsets_um")
            if getattr(self, name) not in (None, ())
        }
        forms = ({"range_um", "step_um"}, {"below_um", "above_um", "step_um"}, {"offsets_um"})
        if given not in forms:
            got = ", ".join(sorted(given)) or "none of them"
            raise ValueError(
                "z_stack needs range_um and step_um, or below_um, above_um and step_um, or"
                f" offsets_um; got {got}"
            )
        if not self.offsets_um and abs(self._steps - round(self._steps)) > _SAME:
            raise ValueError(
                f"z_stack: the range of {self._ends[1] - self._ends[0]:g} um is no multiple of"
                f" step_um, {self.step_um:g}: its highest plane would lie elsewhere"
            )
        count = len(self.offsets_um) or round(self._steps) + 1
        if not 2 <= count <= MOST_PLANES or len(set(self.offsets_um)) != len(self.offsets_um):
            raise ValueError(
                f"z_stack: expected 2 to {MOST_PLANES} planes, each at its own height, got {count}"
            )
        return self

    @property
    def planes_um(self) -> tuple[float, ...]:
        """The planes from the z of a position, as they are taken."""
        if self.offsets_um:
            return self.offsets_um
        lowest, step = self._ends[0], self.step_um or 0.0
        return tuple(round(lowest + index * step, 6) for index in range(round(self._steps) + 1))

    @property
    def _ends(self) -> tuple[float, float]:
        half = (self.range_um or 0.0) / 2
        return -(self.below_um or half), self.above_um or half

    @property
    def _steps(self) -> float:
        lowest, highest = self._ends
        return (highest - lowest) / (self.step_um or 1.0)


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

    method: Literal["none", "lock", "autofocus", "z-stack"] = Field(
        default="none",
        description="lock: the hardware's continuous focus, locked while images are taken;"
        " autofocus: one search of the autofocus device; z-stack: no device, each time point is"
        " moved by as much as the sharpest planes of z_stack lay away at the one before; none:"
        " z_um as it is",
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

    @property
    def searches(self) -> bool:
        """Whether a device finds the focus."""
        return self.method in ("lock", "autofocus")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for_devices = (self.every, self.device, self.on_failure) != ("time-point", None, "image")
        if self.method == "z-stack" and for_devices:
            raise ValueError("every, device and on_failure are for methods lock and autofocus")
        if self.references and (self.method != "autofocus" or self.every != "time-point"):
            raise ValueError("references are for method autofocus, every time-point")
        if self.max_drift_um < self.max_step_um:
            raise ValueError("max_drift_um is below max_step_um: no step could go so far")
        return self
