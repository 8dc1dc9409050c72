"""Which frames lie under the paths that `scopewatch score` is given, one after another.

Unlike the daemon's sources it watches nothing: what is there is taken as complete. Each folder is a
run of its own, so that equal names in two of them do not clash; a file whose name and
metadata say nothing is scored all the same, as a well of its own name.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from scopewatch.app.oneshot.items import Item, Listed, StackPlane, Unlisted
from scopewatch.app.oneshot.plane_readers import (
    Place,
    PlaneReader,
    open_data_set,
    open_folder,
    open_store,
)
from scopewatch.config import FolderSourceConfig, RunConfig
from scopewatch.core.errors import ConfigError, FrameError, complaint
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.tickets import FrameTicket
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.stacks.collecting import gather
from scopewatch.sources.base.stacks.loading import load_sharpest
from scopewatch.sources.folder.frames import FolderFrames
from scopewatch.sources.folder.walk import look_at
from scopewatch.sources.layouts.candidates import is_candidate_folder, is_candidate_name
from scopewatch.sources.ndtiff.dataset import DataSet
from scopewatch.sources.ndtiff.frames import NDTiffFrames
from scopewatch.sources.ndtiff.pyramid import is_copy, is_data_set_file
from scopewatch.sources.omezarr.frames import OmeZarrStores
from scopewatch.sources.omezarr.listing import list_stores
from scopewatch.sources.omezarr.nodes import is_store
from scopewatch.sources.readers.planes import DEFAULT_LIMITS


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingSettings:
    """How names and metadata are read.

    Parameters
    ----------
    source
        As for a source of the daemon; its path does not count.
    """

    run: RunConfig
    source: FolderSourceConfig
    now: datetime


class Listing:
    """Lists files, folders, stacks, data sets and stores.

    Parameters
    ----------
    reader
        Makes what reads the planes of a place.

    Raises
    ------
    ConfigError
        When a pattern is wrong.
    """

    def __init__(
        self, settings: ListingSettings, reader: Callable[..., PlaneReader[Any]] = PlaneReader
    ) -> None:
        self._settings = settings
        self._reader = reader
        # Only to refuse a wrong pattern at once.
        open_folder(self._place(settings.source.path, settings.source.path))

    def walk(self, path: Path) -> Iterator[Listed | Unlisted]:
        """List the frames under a path, in the order a person would; z-stacks come last.

        Raises
        ------
        ConfigError
            When there is nothing of that name.
        """
        if path.is_dir():
            walk = self._walk_folder(path, path, self.frames_in(path))
        elif path.exists():
            walk = self.open_file(path.name, path.parent, self.frames_in(path.parent))
        else:
            raise ConfigError(
                complaint("there is no such file or folder", where=path, do="correct the path")
            )
        yield from self.settle(walk)

    def settle(self, items: Iterator[Item]) -> Iterator[Listed | Unlisted]:
        """Make frames of the planes of z-stacks, when all others are listed."""
        planes: dict[Path, list[StackPlane]] = {}
        for item in items:
            if isinstance(item, StackPlane):
                planes.setdefault(item.root, []).append(item)
            else:
                yield item
        for root, below in planes.items():
            # One reader reads all that is found below a root.
            for stack in gather(each.found for each in below):
                yield self._name(stack, root, below[0].load)

    def frames_in(self, root: Path) -> PlaneReader[FolderFrames]:
        """Return what reads the files below a folder."""
        return self._reader(open_folder, self._place(root, root))

    def _place(self, folder: Path, root: Path) -> Place:
        settings = self._settings
        return Place(folder=folder, root=root, source=settings.source, run=settings.run)

    def _walk_folder(
        self, folder: Path, root: Path, reader: PlaneReader[FolderFrames]
    ) -> Iterator[Item]:
        if is_store(folder):
            yield from self.open_store(folder, root)
            return
        try:
            entries = sorted(folder.iterdir(), key=lambda entry: natural(entry.name))
        except OSError as error:
            reason = complaint(
                "folder cannot be read", where=folder, got=error.strerror, do="check its rights"
            )
            yield Unlisted(place=str(folder), reason=reason)
            return
        if any(is_data_set_file(entry.name) for entry in entries):
            yield from self.open_data_set(folder, root)
            return
        for entry in entries:
            if is_candidate_name(entry.name):
                yield from self.open_file(entry.relative_to(root).as_posix(), root, reader)
            elif _is_entered(entry):
                yield from self._walk_folder(entry, root, reader)

    def open_data_set(self, folder: Path, root: Path) -> Iterator[Item]:
        """List the images of an NDTiff data set."""
        reader: PlaneReader[NDTiffFrames] = self._reader(open_data_set, self._place(folder, root))
        data_set = DataSet(folder, DEFAULT_LIMITS, patience_s=0)
        while sightings := data_set.look(0.0):
            for sighting in sightings:
                yield self._listed(reader.opened.found("", sighting), folder, reader)
        if data_set.trouble or data_set.waiting:
            reason = data_set.trouble or complaint(
                "data set holds images that are not complete",
                where=folder,
                got=data_set.waiting,
                do="wait until its acquisition has ended",
            )
            yield Unlisted(place=str(folder), reason=reason)

    def open_store(self, folder: Path, root: Path) -> Iterator[Item]:
        """List the planes of an OME-Zarr store."""
        try:
            reader: PlaneReader[OmeZarrStores] = self._reader(open_store, self._place(folder, root))
        except ConfigError as error:
            yield Unlisted(place=str(folder), reason=str(error))
            return
        for found in list_stores(reader.opened):
            yield self._listed(found, folder, reader)

    def open_file(
        self, locator: str, root: Path, reader: PlaneReader[FolderFrames]
    ) -> Iterator[Item]:
        """List the frames of a file."""
        seen = look_at(root, locator)
        try:
            # One that is gone is reported where it is read.
            reading = reader.opened.describe(locator, seen.fingerprint if seen else "")
        except FrameError as error:
            key = reader.opened.listing.by_name(locator).key
            yield Unlisted(place=str(root / locator), reason=str(error), key=key)
            return
        for found in reading.found:
            yield self._listed(found, root, reader)
        if reading.unfinished is not None:
            reason = complaint(
                "image file is not complete",
                where=root / locator,
                got=reading.unfinished,
                do="wait until it is written, or write it again; its whole pages are used",
            )
            yield Unlisted(place=str(root / locator), reason=reason)

    def _listed(self, found: Found, root: Path, load: Callable[[FrameTicket], Frame]) -> Item:
        if found.z is not None:
            return StackPlane(found=found, root=root, load=load)
        return self._name(found, root, load)

    def _name(
        self, found: Found, root: Path, load: Callable[[FrameTicket], Frame]
    ) -> Listed | Unlisted:
        place = f"{root}/{found.locator}"
        if found.key is None:
            return Unlisted(place=place, reason=found.reason)
        ticket = FrameTicket(
            key=found.key,
            source="score",
            locator=found.locator,
            fingerprint=found.fingerprint,
            seen_at=self._settings.now,
            acquired_at=found.moment.acquired_at,
            elapsed_s=found.moment.elapsed_s,
            planes=found.planes,
        )
        scale = None if found.reading is None else found.reading.pixel_size_um
        return Listed(
            place=place,
            key=found.key,
            load=partial(load_sharpest, ticket, load),
            fingerprint=f"{found.fingerprint}|{scale}",
        )


def _is_entered(entry: Path) -> bool:
    """Return whether a folder is searched: a link may lead back up."""
    if not is_candidate_folder(entry.name) or not entry.is_dir() or entry.is_symlink():
        return False
    return not is_copy(entry)


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
