"""What is on disk of a time-lapse: the data sets of a run, and the images in them."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from scopewatch.config import MicroManagerSourceConfig, RunConfig
from scopewatch.core.errors import SourceError, complaint
from scopewatch.sources.base.away import Presence
from scopewatch.sources.base.facts import merged
from scopewatch.sources.base.moments import moment_of
from scopewatch.sources.base.reading import ReadingSettings, reading_settings
from scopewatch.sources.micromanager.images import Place, place_of, plane_of, steps_of
from scopewatch.sources.micromanager.schedule.grid import Grid, Step
from scopewatch.sources.micromanager.stacks.planes import Plane
from scopewatch.sources.ndtiff.axes import image_statements
from scopewatch.sources.ndtiff.dataset import DataSet
from scopewatch.sources.ndtiff.pyramid import is_data_set
from scopewatch.sources.readers.planes import DEFAULT_LIMITS, ReadLimits


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
