"""What a time-lapse is to acquire, and what of it is on disk already."""

import contextlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

from scopewatch.config import MicroManagerSourceConfig, RunConfig
from scopewatch.core.errors import FrameError, SourceError, complaint
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.sources.base.address import named
from scopewatch.sources.base.away import Presence
from scopewatch.sources.base.facts import Origin, PlaneFacts, Statement, merged
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.moments import moment_of
from scopewatch.sources.base.reading import ReadingSettings, read_frame, reading_settings
from scopewatch.sources.micromanager.grid import Grid, Step
from scopewatch.sources.micromanager.planned import Image, Period
from scopewatch.sources.micromanager.stacks.planes import Plane
from scopewatch.sources.ndtiff.axes import image_statements
from scopewatch.sources.ndtiff.dataset import DataSet
from scopewatch.sources.ndtiff.pyramid import is_data_set
from scopewatch.sources.readers.planes import DEFAULT_LIMITS, ReadLimits

Place = tuple[int, str, str | None]  # time point, position label, channel


def data_set_name(run: str) -> str:
    """Name the data sets of a run: letters, digits, dots, dashes.

    >>> data_set_name("HES 7 / March")
    'HES_7_March'
    """
    return re.sub(r"[^\w.-]+", "_", run).strip("_.") or "experiment"


def own_data_set(run: str, folder: str) -> bool:
    """Tell whether a folder is a data set that this run's acquisitions wrote."""
    return re.fullmatch(re.escape(data_set_name(run)) + r"_\d+", folder) is not None


def own_data_sets(path: Path, run: str) -> Iterator[Path]:
    """Yield the data sets that acquisitions of a run wrote, the newest first.

    Raises
    ------
    OSError
        When the folder cannot be read.
    """
    if path.is_dir():
        own = (each for each in path.iterdir() if own_data_set(run, each.name))
        yield from sorted(own, key=_number, reverse=True)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquired:
    """What is on disk of a time-lapse.

    Parameters
    ----------
    planes
        How often each plane of each image is there.
    moments
        When the first image of each time point was taken, where an image says so.
    interval_s, then
        As they are configured.
    growing
        The newest data set, where its writer did not close it, as far as it can be seen.
    """

    planes: Mapping[Place, Mapping[Plane, int]]
    moments: Mapping[int, datetime]
    interval_s: float
    then: tuple[Step, ...] = ()
    growing: Path | None = None

    @property
    def began_at(self) -> datetime | None:
        """When time point 0 was, or would have been; None where no image says when it was taken."""
        return min(self._starts(), default=None)

    def grid(self) -> Grid | None:
        """Return the grid that the images were taken on; None where none says when.

        Where they do not fit the interval, it was another one: that between the last and the first.
        """
        starts = self._starts()
        if not starts:
            return None
        if max(starts) - min(starts) < timedelta(seconds=self.interval_s):
            return replace(self._planned(), first_at=min(starts))
        first, last = min(self.moments), max(self.moments)
        apart_s = (self.moments[last] - self.moments[first]).total_seconds() / (last - first)
        return Grid(first=last, first_at=self.moments[last], interval_s=max(apart_s, 1.0))

    def _starts(self) -> list[datetime]:
        planned = self._planned()
        return [
            moment - timedelta(seconds=planned.offset_s(index))
            for index, moment in self.moments.items()
        ]

    def _planned(self) -> Grid:
        start = datetime.min.replace(tzinfo=UTC)
        return Grid(first=0, first_at=start, interval_s=self.interval_s, then=self.then)


def make_folder(config: MicroManagerSourceConfig, presence: Presence) -> None:
    """Make the folder for the data sets, unless it was there before and is gone.

    Raises
    ------
    SourceError
        When it is gone, or cannot be made.
    """
    path = config.path
    if presence.is_gone():
        # A new one might be below the mount point of a share that is away.
        raise SourceError(
            complaint(
                "folder for the data sets was there, and is gone",
                where=path,
                do="mount its share or disk, or make it again where it was",
            )
        )
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SourceError(
            complaint(
                "folder for the data sets cannot be made",
                where=path,
                got=error.strerror,
                do=f"correct `path` of the source {config.name!r}",
            )
        ) from error
    presence.is_there()


def survey_again(config: MicroManagerSourceConfig, run: RunConfig) -> "Acquired":
    """Look through what earlier acquisitions wrote. Raises SourceError."""
    try:
        return survey(config, reading_settings(config, run), DEFAULT_LIMITS)
    except OSError as error:
        raise SourceError(
            complaint(
                "earlier data sets cannot be read",
                where=config.path,
                got=error.strerror,
                do="check the folder and its permissions",
            )
        ) from error


def survey(
    config: MicroManagerSourceConfig, settings: ReadingSettings, limits: ReadLimits
) -> Acquired:
    """Look through the data sets that earlier acquisitions of a run wrote."""
    planes: dict[Place, Counter[Plane]] = {}
    moments: dict[int, datetime] = {}
    growing: Path | None = None
    folders = list(filter(is_data_set, own_data_sets(config.path, settings.run.name)))
    for folder in folders:
        data_set = DataSet(folder, limits, patience_s=0)
        while sightings := data_set.look(0.0):
            for sighting in sightings:
                place = place_of(sighting.axes)
                if sighting.image is None or place is None:
                    continue
                planes.setdefault(place, Counter())[plane_of(sighting.axes)] += 1
                statements = image_statements(sighting.axes, sighting.image.tags, sighting.summary)
                moment = moment_of(merged(statements), settings.zone)
                if moment is not None:
                    moments[place[0]] = min(moments.get(place[0], moment), moment)
        if folder == folders[0] and not data_set.ended:
            growing = folder
    return Acquired(
        planes=MappingProxyType(planes),
        moments=MappingProxyType(moments),
        interval_s=config.timing[0].interval_s,
        then=steps_of(config),
        growing=growing,
    )


def _number(folder: Path) -> int:
    return int(re.findall(r"\d+$", folder.name)[0])
