"""Which frames lie under the paths that `scopewatch score` is given, one after another.

Unlike the daemon's sources it watches nothing: what is there is taken as whole. Each folder is an
experiment of its own, so that equal names in two of them do not clash; a file whose name and
metadata say nothing is scored all the same, as a well of its own name.
"""

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from scopewatch.config import ExperimentConfig, NDTiffSourceConfig
from scopewatch.core.errors import ConfigError, FrameError, complaint
from scopewatch.core.frame import Frame, FrameKey, FrameTicket
from scopewatch.sources.base.address import PositionPattern
from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts, Statement
from scopewatch.sources.base.reading import FrameReading, ReadingSettings, read_frame
from scopewatch.sources.folder.walk import NDTIFF_INDEX
from scopewatch.sources.layouts.candidates import is_candidate_folder, is_candidate_name
from scopewatch.sources.layouts.copies import refuse_copy
from scopewatch.sources.layouts.naming import NamePattern
from scopewatch.sources.ndtiff.dataset import DataSet
from scopewatch.sources.ndtiff.frames import NDTiffFrames
from scopewatch.sources.readers.image_file import list_planes, read_plane
from scopewatch.sources.readers.planes import DEFAULT_LIMITS
from scopewatch.sources.readers.series import SeriesFiles

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A frame that can be read.

    Parameters
    ----------
    place
        The path, with the page or the axes where the file holds several frames.
    load
        Reads it; raises FrameError.
    """

    place: str
    key: FrameKey
    load: Callable[[], Frame]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlisted:
    """Something that should be a frame and is none, and why; `key` is None without a name."""

    place: str
    reason: str
    key: FrameKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingSettings:
    """How names and metadata are read; see the folder source of the configuration."""

    experiment: ExperimentConfig
    pattern: str
    position: str
    um_per_px: float | None
    now: datetime


class Listing:
    """Lists files, folders, stacks and data sets.

    Raises
    ------
    ConfigError
        When a pattern is wrong.
    """

    def __init__(self, settings: ListingSettings) -> None:
        self._settings = settings
        self._names = NamePattern(settings.pattern)
        self._reading = ReadingSettings(
            experiment=settings.experiment,
            position=PositionPattern(settings.position),
            um_per_px=settings.um_per_px,
        )
        self._series = SeriesFiles(DEFAULT_LIMITS)

    def walk(self, path: Path) -> Iterator[Listed | Unlisted]:
        """List the frames under a path, in the order a person would.

        Raises
        ------
        ConfigError
            When there is nothing of that name.
        """
        if path.is_dir():
            yield from self._walk_folder(path, path)
        elif path.exists():
            yield from self._open_file(path, path.parent)
        else:
            raise ConfigError(
                complaint("there is no such file or folder", where=path, do="correct the path")
            )

    def _walk_folder(self, folder: Path, root: Path) -> Iterator[Listed | Unlisted]:
        try:
            entries = sorted(folder.iterdir(), key=lambda entry: natural(entry.name))
        except OSError as error:
            reason = complaint(
                "folder cannot be read", where=folder, got=error.strerror, do="check its rights"
            )
            yield Unlisted(place=str(folder), reason=reason)
            return
        if any(entry.name == NDTIFF_INDEX for entry in entries):
            yield from self._open_data_set(folder, root)
            return
        for entry in entries:
            if is_candidate_name(entry.name):
                yield from self._open_file(entry, root)
            # A link may lead back up: only real folders are entered.
            elif is_candidate_folder(entry.name) and entry.is_dir() and not entry.is_symlink():
                yield from self._walk_folder(entry, root)

    def _open_data_set(self, folder: Path, root: Path) -> Iterator[Listed | Unlisted]:
        name = _experiment_of(folder, root)
        frames = NDTiffFrames(
            NDTiffSourceConfig(
                kind="ndtiff",
                path=folder,
                position=self._settings.position,
                um_per_px=self._settings.um_per_px,
            ),
            self._settings.experiment.model_copy(update={"name": name}),
            DEFAULT_LIMITS,
            None,
        )
        data_set = DataSet(folder, DEFAULT_LIMITS, patience_s=0)
        while sightings := data_set.look(0.0):
            for found in (frames.found("", sighting) for sighting in sightings):
                place = f"{folder}/{found.locator}"
                if found.key is None:
                    yield Unlisted(place=place, reason=found.reason)
                    continue
                ticket = FrameTicket(
                    key=found.key,
                    source="score",
                    locator=found.locator,
                    fingerprint=found.fingerprint,
                    seen_at=self._settings.now,
                )
                yield Listed(place=place, key=found.key, load=partial(frames.load, ticket))
        if data_set.trouble or data_set.waiting:
            reason = data_set.trouble or complaint(
                "data set holds images that are not complete",
                where=folder,
                got=data_set.waiting,
                do="wait until its acquisition has ended",
            )
            yield Unlisted(place=str(folder), reason=reason)

    def _open_file(self, path: Path, root: Path) -> Iterator[Listed | Unlisted]:
        try:
            contents = list_planes(path)
        except FrameError as error:
            key = self._key_by_name(path, root)
            yield Unlisted(place=str(path), reason=str(error), key=key)
            return
        if not contents.axes_known and len(contents.planes) > 1:
            reason = complaint(
                "image file has several pages and does not say what they are",
                where=path,
                got=f"{len(contents.planes)} pages",
                do="export OME-TIFF, or one file for each frame",
            )
            yield Unlisted(place=str(path), reason=reason)
            return
        for plane in contents.planes:
            place = str(path) if plane.page == 0 else f"{path}#page={plane.page}"
            name = path.relative_to(root).as_posix()
            try:
                known = plane.facts.place != NOTHING.place
                refuse_copy(name, self._names, says_what_it_is=known)
                key = self._read(path, root, plane.statements).key
            except FrameError as error:
                yield Unlisted(place=place, reason=str(error))
                continue
            yield Listed(place=place, key=key, load=self._loader(path, root, plane.page))

    def _key_by_name(self, path: Path, root: Path) -> FrameKey | None:
        try:
            if self._names.read(path.relative_to(root).as_posix()) is None:
                return None
            return self._read(path, root, ()).key
        except FrameError as error:
            log.debug("name gives no key", extra={"event": {"path": path, "why": error}})
            return None

    def _loader(self, path: Path, root: Path, page: int) -> Callable[[], Frame]:
        def load() -> Frame:
            plane = read_plane(path, page)
            reading = self._read(path, root, plane.statements)
            return Frame(
                key=reading.key,
                pixels=plane.pixels,
                pixel_size_um=reading.pixel_size_um,
                acquired_at=reading.acquired_at,
            )

        return load

    def _read(self, path: Path, root: Path, told: tuple[Statement, ...]) -> FrameReading:
        """Read a plane; each folder is an experiment, a file that names no well one of its own."""
        by_folder = PlaneFacts(experiment=_experiment_of(path.parent, root))
        by_file = PlaneFacts(well=path.name.split(".")[0] or path.name)
        statements = (
            *self._series.statements(path),
            *told,
            *self._names.statements(path.relative_to(root).as_posix()),
            Statement(origin=Origin.NAME, who="folder", facts=by_folder),
        )
        named = any(
            each.facts.well is not None or each.facts.position is not None for each in statements
        )
        if not named:
            statements += (Statement(origin=Origin.DEFAULT, who="file name", facts=by_file),)
        return read_frame(statements, self._reading, path)


def _experiment_of(folder: Path, root: Path) -> str:
    parts = (root.resolve().name, *folder.relative_to(root).parts)
    return " ".join(part for part in parts if part) or "files"


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return what sorts `A2` before `A10`.

    >>> sorted(["A10", "A2", "b"], key=natural)
    ['A2', 'A10', 'b']
    """
    return tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part.casefold())
        for part in re.split(r"(\d{1,18})", name)
        if part
    )
