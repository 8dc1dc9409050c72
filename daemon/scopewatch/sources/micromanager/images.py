"""What a time-lapse is to acquire: its images, their events and the frames they will be."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.core.errors import FrameError
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.sources.base.address import named
from scopewatch.sources.base.facts import Origin, PlaneFacts, Statement
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.reading import ReadingSettings, read_frame
from scopewatch.sources.micromanager.schedule.grid import Step
from scopewatch.sources.micromanager.schedule.planned import Image, Period
from scopewatch.sources.micromanager.stacks.planes import Plane

Place = tuple[int, str, str | None]  # time point, position label, channel


def events_of(config: MicroManagerSourceConfig, time_point: int) -> dict[Place, dict[str, Any]]:
    """Return the pycro-manager event of each image of a time point, in order of acquisition.

    Positions outside, channels inside: the stage moves once per position. A z-stack is one image,
    whose planes `stacks.planes` makes of its event.
    """
    events: dict[Place, dict[str, Any]] = {}
    for position in config.positions:
        base: dict[str, Any] = {"x": position.x_um, "y": position.y_um}
        z_um = position.z_um
        axes: dict[str, Any] = {"time": time_point, "position": position.label}
        if not config.channels:
            events[(time_point, position.label, None)] = {**base, **_height(z_um), "axes": axes}
        for channel in config.channels:
            events[(time_point, position.label, channel.preset)] = {
                **base,
                **_height(None if z_um is None else z_um + channel.z_offset_um),
                "axes": {**axes, "channel": channel.preset},
                "config_group": [channel.group, channel.preset],
                "exposure": position.exposures_ms.get(channel.preset, channel.exposure_ms),
            }
    return events


def images_of(config: MicroManagerSourceConfig) -> tuple[Image, ...]:
    """Return what is taken at each time point, in order of acquisition."""
    return tuple((label, channel) for _, label, channel in events_of(config, 0))


def steps_of(config: MicroManagerSourceConfig) -> tuple[Step, ...]:
    """Return the intervals of all phases but the first."""
    steps: list[Step] = []
    since = 0
    for before, phase in pairwise(config.timing):
        since += before.time_points
        steps.append(Step(since=since, interval_s=phase.interval_s))
    return tuple(steps)


def periods_of(config: MicroManagerSourceConfig) -> dict[str | None, Period]:
    """Return how often each channel is taken that is not at every time point."""
    return {each.preset: each.every for each in config.channels if each.every != 1}


def place_of(axes: dict[str, Any]) -> Place | None:
    """Return which image of the plan the axes of an image name; None for any other."""
    time_point, label, channel = axes.get("time"), axes.get("position"), axes.get("channel")
    if not isinstance(time_point, int) or not isinstance(label, str):
        return None
    return time_point, label, channel if isinstance(channel, str) else None


def plane_of(axes: Mapping[str, Any]) -> Plane:
    """Return which plane of its image the axes of an image name; None where it is no stack."""
    plane = axes.get("z")
    return plane if isinstance(plane, int) else None


def missed(place: Place, settings: ReadingSettings, why: str) -> Found:
    """Return what is known of an image that was due and never came."""
    where = _named(place, settings)
    reason = f"never acquired: {why}"
    try:
        key = planned_key(place, settings)
    except FrameError as error:
        return Found(locator=where, fingerprint="missed", reason=f"{reason}; {error}")
    return Found(locator=where, fingerprint="missed", key=key, reason=reason, missed=True)


def planned_key(place: Place, settings: ReadingSettings) -> FrameKey:
    """Return the frame that an image of the plan will be. Raises FrameError."""
    time_point, label, channel = place
    facts = PlaneFacts(
        run=settings.run.name,
        time_point=time_point,
        channel=named(channel),
        position=label,
        z=settings.z,
    )
    planned = Statement(origin=Origin.SET, by="plan of the time-lapse", facts=facts)
    return read_frame((planned,), settings, _named(place, settings)).key


def spot_of(key: FrameKey) -> tuple[str, str, int]:
    """Return plate, well and site."""
    return key.plate, key.well, key.site


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFrames:
    """The frames that the images of a plan will be, each named once.

    Parameters
    ----------
    keys
        The frame of each image of time point 0; None where it cannot be named, which is refused
        where the plan is checked.
    """

    keys: Mapping[Place, FrameKey | None]

    @classmethod
    def of(cls, config: MicroManagerSourceConfig, settings: ReadingSettings) -> "PlannedFrames":
        """Name the images of a plan."""
        keys: dict[Place, FrameKey | None] = {}
        for place in events_of(config, 0):
            keys[place] = None
            with contextlib.suppress(FrameError):
                keys[place] = planned_key(place, settings)
        return cls(keys=MappingProxyType(keys))

    @property
    def labels(self) -> dict[tuple[str, str, int], str]:
        """The position label of each plate, well and site."""
        return {spot_of(key): place[1] for place, key in self.keys.items() if key is not None}

    @property
    def spots(self) -> dict[tuple[str, str, int, str], tuple[str, str | None]]:
        """Position label and preset of each image, by what its frame is."""
        return {
            (*spot_of(key), key.channel): place[1:]
            for place, key in self.keys.items()
            if key is not None
        }

    @property
    def wells(self) -> dict[str, str]:
        """Plate and well of each position label; the label where it cannot be read."""
        wells: dict[str, str] = {}
        for (_, label, _), key in self.keys.items():
            wells.setdefault(label, label if key is None else f"{key.plate} {key.well}")
        return wells


def _height(z_um: float | None) -> dict[str, float]:
    return {} if z_um is None else {"z": z_um}


def _named(place: Place, settings: ReadingSettings) -> str:
    time_point, label, channel = place
    where = f"{settings.run.name}: time point {time_point}, position {label}"
    return where if channel is None else f"{where}, channel {channel}"
