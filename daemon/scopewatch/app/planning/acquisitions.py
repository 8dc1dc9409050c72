"""What acquisitions take: how far they are, time of a time point, disk, and light on each site."""

from collections.abc import Iterator
from dataclasses import dataclass

from scopewatch.app.checking.finding import Finding
from scopewatch.config import Config, MicroManagerSourceConfig, RunConfig
from scopewatch.core.errors import ConfigError
from scopewatch.sources.base.reading import reading_settings
from scopewatch.sources.micromanager.images import PlannedFrames
from scopewatch.sources.micromanager.plans.limits import (
    acts_in_words,
    in_bytes,
    in_time,
    no_time_for_acts,
    too_large,
)
from scopewatch.sources.micromanager.plans.on_disk import (
    RunOnDisk,
    free_bytes,
    look_on_disk,
)
from scopewatch.sources.micromanager.plans.projection import Projection, project
from scopewatch.sources.micromanager.plans.settled import settle_plan


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelLight:
    """Light of one channel on each site: so far, and over the run; seconds of exposure."""

    channel: str
    exposure_ms: float
    images: int
    so_far_s: float
    total_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquisition:
    """State of an acquisition, and its demands.

    Parameters
    ----------
    problem
        Why the state is not known; '' where it is known, and the figures are valid.
    over
        Time points that are acquired, or missed for good.
    time_point_s, travel_s
        How long a time point takes, and how much of it the stage moves.
    disk_bytes
        Of the images that are still to come.
    free_bytes
        Where they are written; None where unknown.
    image
        Size of an image, and who says so.
    acts
        What images beyond the plan take at most; '' where none are switched on.
    """

    source: str
    problem: str = ""
    positions: int = 0
    time_points: int = 0
    over: int = 0
    interval_s: float = 0.0
    time_point_s: float = 0.0
    travel_s: float = 0.0
    disk_bytes: int = 0
    free_bytes: int | None = None
    image: str = ""
    light: tuple[ChannelLight, ...] = ()
    acts: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """The figures for people, a line for each kind."""
        if self.problem:
            return (self.problem,)
        light = "; ".join(
            f"{each.channel} {each.exposure_ms:g} ms x {each.images} = {each.total_s:g} s"
            + (f" (at most {each.so_far_s:g} s so far)" if self.over else "")
            for each in self.light
        )
        free = "" if self.free_bytes is None else f", {in_bytes(self.free_bytes)} are free"
        return (
            f"{self.over} of {self.time_points} time points are over; each takes"
            f" {in_time(self.time_point_s)} of {in_time(self.interval_s)} for {self.positions}"
            f" positions ({in_time(self.travel_s)} of travel)",
            f"disk for the {self.time_points - self.over} to come: {in_bytes(self.disk_bytes)}"
            f"{free} (images of {self.image})",
            f"light on each site: {light or 'as the camera and lamp are set, no channel is named'}",
            *([self.acts] if self.acts else []),
        )


def list_acquisitions(config: Config) -> tuple[Acquisition, ...]:
    """Return the state of each source that acquires. Never raises."""
    return tuple(_look(source, config.experiment) for source in config.acquiring)


def check_projections(config: Config) -> Iterator[Finding]:
    """Say what each acquisition takes; a disk that is too small fails, or is noted."""
    for source in config.acquiring:
        subject = f"source {source.name}"
        try:
            settled = settle_plan(source, config.experiment)
        except ConfigError:
            continue  # the check of the source itself has reported it
        on_disk = look_on_disk(settled.path, config.experiment.name)
        projection = project_source(settled, config.experiment, on_disk)
        state = _stand(settled, projection, on_disk)
        for line in state.lines:
            yield Finding(subject=subject, text=line)
        crowded = no_time_for_acts(settled, projection, subject)
        if crowded is not None:
            yield Finding(subject=subject, text=str(crowded), failed=True)
        if state.free_bytes is None:
            continue
        where = f"{subject}: {source.path}"
        problem = too_large(projection, state.over, state.free_bytes, where)
        if problem is not None:
            assumed = projection.frame.assumed
            yield Finding(subject=subject, text=str(problem), failed=not assumed, advice=assumed)


def project_source(
    settled: MicroManagerSourceConfig, run: RunConfig, on_disk: RunOnDisk
) -> Projection:
    """Return what a settled source takes, by the images on disk where there are some."""
    wells = PlannedFrames.of(settled, reading_settings(settled, run)).wells
    return project(settled, wells, on_disk.frame, extra=on_disk.extra)


def _look(source: MicroManagerSourceConfig, run: RunConfig) -> Acquisition:
    try:
        settled = settle_plan(source, run)
    except ConfigError as error:
        return Acquisition(source=source.name, problem=str(error).replace("\n", "; "))
    on_disk = look_on_disk(settled.path, run.name)
    return _stand(settled, project_source(settled, run, on_disk), on_disk)


def _stand(
    settled: MicroManagerSourceConfig, projection: Projection, on_disk: RunOnDisk
) -> Acquisition:
    over = min(on_disk.over, projection.time_points)
    frame = projection.frame
    acts = acts_in_words(settled, projection, projection.time_points - over)
    return Acquisition(
        acts=acts,
        source=settled.name,
        positions=len(settled.positions),
        time_points=projection.time_points,
        over=over,
        interval_s=projection.interval_s,
        time_point_s=round(projection.time_point_s, 3),
        travel_s=round(projection.travel_s, 3),
        disk_bytes=projection.disk_from(over),
        free_bytes=free_bytes(settled.path),
        image=f"{frame.width_px} x {frame.height_px} px, {8 * frame.bytes_per_px} bit:"
        f" {frame.origin}",
        light=tuple(
            ChannelLight(
                channel=dose.channel,
                exposure_ms=dose.exposure_ms,
                images=dose.images,
                so_far_s=round(dose.total_s - dose.total_from_s(projection.time_points, over), 6),
                total_s=round(dose.total_s, 6),
            )
            for dose in projection.doses
        ),
    )
