"""What a plan that was made elsewhere says: positions, and perhaps channels and times."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from scopewatch.config import (
    ChannelConfig,
    FocusConfig,
    PhaseConfig,
    PositionConfig,
    ZStackConfig,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A plan as it was made elsewhere.

    Parameters
    ----------
    summary
        In a few words, what it is.
    channels
        Empty where it names none.
    interval_s, time_points
        None where it says nothing of time, or has phases.
    phases
        Of several intervals; empty where one is all.
    z_stack
        None where it has none; its channels say which of them are taken as one.
    focus
        None where it does not say how the focus is found.
    xy_stage, z_stage
        The devices that its positions speak of; '' where it does not say.
    expected
        Well and site by label, where the plan itself knows them.
    """

    summary: str
    positions: tuple[PositionConfig, ...]
    channels: tuple[ChannelConfig, ...] = ()
    interval_s: float | None = None
    time_points: int | None = None
    phases: tuple[PhaseConfig, ...] = ()
    z_stack: ZStackConfig | None = None
    focus: FocusConfig | None = None
    xy_stage: str = ""
    z_stage: str = ""
    expected: Mapping[str, tuple[str, int]] = field(default_factory=lambda: MappingProxyType({}))
