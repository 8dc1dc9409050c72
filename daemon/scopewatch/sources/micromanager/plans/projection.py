"""What an acquisition will take: time of each time point, disk, and light on each site. Pure.

Both axes of a stage move at once, so a move takes as long as the longer of its two ways; each time
point begins where the one before ended. Acceleration is left out: short moves take longer than
projected by it, which `settle_s` is there for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scopewatch.config import (
    MicroManagerSourceConfig,
    PositionConfig,
    ProjectionConfig,
)
from scopewatch.sources.micromanager.focus.search import stops
from scopewatch.sources.micromanager.images import events_of
from scopewatch.sources.micromanager.schedule.planned import Period
from scopewatch.sources.micromanager.stacks.planes import z_stack_of

ASSUMED_PX: Final = (2048, 2048)
# Metadata, TIFF directory and index of an image in an NDTiff data set of pycro-manager 1.0: 0.7 kB
# with the demo devices, and more the more devices and properties a core tells of.
IMAGE_EXTRA_BYTES: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSize:
    """Size of an image, and who says so."""

    width_px: int
    height_px: int
    bytes_per_px: int
    origin: str
    assumed: bool = False

    @property
    def image_bytes(self) -> int:
        """Bytes of an image on disk."""
        return self.width_px * self.height_px * self.bytes_per_px + IMAGE_EXTRA_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class LightDose:
    """Light of one channel on each site.

    Parameters
    ----------
    exposure_ms
        Of one image: the longest, where positions have exposures of their own.
    period
        Every how many time points it is taken; `final`: at the last alone.
    planes
        Of a time point: 1, or those of a z-stack.
    images
        Of a site, over the run, each plane counted.
    """

    channel: str
    exposure_ms: float
    period: Period
    images: int
    planes: int = 1

    def total_from_s(self, time_points: int, over: int) -> float:
        """Sum of the exposures of one site once so many of the time points are over."""
        return self.exposure_ms * self.planes * taken(self.period, time_points, over) / 1000

    @property
    def total_s(self) -> float:
        """Sum of the exposures of one site."""
        return self.exposure_ms * self.images / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """What an acquisition takes.

    Parameters
    ----------
    interval_s
        The shortest of all phases.
    lasts_s
        From the first time point to the last.
    images
        Of a time point at which every channel is taken, as are all times below; each plane counts.
    time_points
        Of the run.
    moves, travel_um
        Of the stage within one time point, back to the first position included.
    travel_s
        Time of these, until the stage is still.
    exposure_s, other_s, focus_s
        Of one time point: shutter open; presets, readout and disk; finding the focus.
    periods, planes
        Of each channel.
    """

    interval_s: float
    lasts_s: float
    positions: int
    images: int
    time_points: int
    moves: int
    travel_um: float
    travel_s: float
    exposure_s: float
    other_s: float
    focus_s: float
    frame: FrameSize
    periods: tuple[Period, ...]
    planes: tuple[int, ...]
    doses: tuple[LightDose, ...]

    @property
    def time_point_s(self) -> float:
        """How long a time point takes."""
        return self.travel_s + self.exposure_s + self.other_s + self.focus_s

    @property
    def disk_bytes(self) -> int:
        """Bytes of the whole run."""
        return self.disk_from(0)

    def disk_from(self, over: int) -> int:
        """Bytes of what is to come once so many time points are over."""
        images = sum(
            planes * taken(period, self.time_points, over)
            for period, planes in zip(self.periods, self.planes, strict=True)
        )
        return self.positions * images * self.frame.image_bytes

    @property
    def run_s(self) -> float:
        """From the first image to the last."""
        return self.lasts_s + self.time_point_s


def taken(period: Period, time_points: int, since: int = 0) -> int:
    """Return at how many time points a channel is taken, from one of them on.

    >>> taken(1, 20), taken(5, 20), taken(5, 20, 1), taken("final", 20, 19)
    (20, 4, 3, 1)
    """
    if since >= time_points:
        return 0
    if period == "final":
        return 1
    return -(-time_points // period) - -(-since // period)


def project(
    config: MicroManagerSourceConfig,
    wells: Mapping[str, str],
    frame: FrameSize | None = None,
    *,
    extra: int = 0,
) -> Projection:
    """Return what a settled source will take.

    Parameters
    ----------
    wells
        The well of each label: the focus may be found once for each.
    frame
        Size of an image as it was seen; None where none was.
    extra
        Time points that a person had put in between.
    """
    settings, timing = config.projection, config.timing
    moves = list(_moves(config.positions))
    stack = z_stack_of(config)
    events = events_of(config, 0)
    counts = {place: len(stack.planes(place[2])) for place in events}
    time_points = config.planned_time_points + extra
    return Projection(
        interval_s=min(phase.interval_s for phase in timing),
        lasts_s=sum(phase.interval_s * phase.time_points for phase in timing)
        - timing[-1].interval_s,
        positions=len(config.positions),
        images=sum(counts.values()),
        time_points=time_points,
        moves=len(moves),
        travel_um=sum(moves),
        travel_s=sum(moves) / settings.stage_um_per_s + len(moves) * settings.settle_s,
        exposure_s=sum(
            counts[place] * event.get("exposure", 0.0) for place, event in events.items()
        )
        / 1000,
        other_s=sum(counts.values()) * settings.image_s,
        focus_s=_searches(config, wells) * settings.focus_s,
        frame=_frame(settings, frame),
        periods=tuple(each.every for each in config.channels) or (1,),
        planes=tuple(len(stack.planes(each.preset)) for each in config.channels)
        or (len(stack.planes(None)),),
        doses=tuple(
            LightDose(
                channel=each.preset,
                exposure_ms=max(
                    position.exposures_ms.get(each.preset, each.exposure_ms)
                    for position in config.positions
                ),
                period=each.every,
                images=len(stack.planes(each.preset)) * taken(each.every, time_points),
                planes=len(stack.planes(each.preset)),
            )
            for each in config.channels
        ),
    )


def _frame(settings: ProjectionConfig, seen: FrameSize | None) -> FrameSize:
    if settings.frame_px is None and seen is not None:
        return seen
    width, height = settings.frame_px or ASSUMED_PX
    return FrameSize(
        width_px=width,
        height_px=height,
        bytes_per_px=settings.bytes_per_px,
        origin="projection.frame_px" if settings.frame_px else "assumed; set projection.frame_px",
        assumed=settings.frame_px is None,
    )


def _searches(config: MicroManagerSourceConfig, wells: Mapping[str, str]) -> int:
    """Return how often the focus is found within a time point."""
    if not config.focus.searches:
        return 0
    return sum(len(stop.at) for stop in stops(config, list(events_of(config, 0)), wells))


def _moves(positions: Sequence[PositionConfig]) -> Iterable[float]:
    """Yield the longer way of each move in micrometres; the first is from the last position."""
    for before, after in zip((positions[-1], *positions), positions, strict=False):
        way = max(abs(after.x_um - before.x_um), abs(after.y_um - before.y_um))
        if way:
            yield way
