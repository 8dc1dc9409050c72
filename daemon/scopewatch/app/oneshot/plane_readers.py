"""Reads the planes that were listed, in this process or in another that they are sent to."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from scopewatch.config import (
    FolderSourceConfig,
    NDTiffSourceConfig,
    OmeZarrSourceConfig,
    ReadingConfig,
    RunConfig,
)
from scopewatch.core.errors import FrameError
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.tickets import FrameTicket
from scopewatch.sources.base.facts import Origin, PlaneFacts, Statement
from scopewatch.sources.folder.frames import FolderFrames
from scopewatch.sources.layouts.naming import NamePattern
from scopewatch.sources.ndtiff.frames import NDTiffFrames
from scopewatch.sources.ndtiff.pyramid import FULL_RESOLUTION
from scopewatch.sources.omezarr.frames import OmeZarrStores, store_stem
from scopewatch.sources.omezarr.listing import open_stores
from scopewatch.sources.readers.planes import DEFAULT_LIMITS

_OPENED = 16


class Loads(Protocol):
    """Reads the planes of a folder, a data set or a store."""

    def load(self, ticket: FrameTicket, /) -> Frame:
        """Read a plane. Raises FrameError or SourceError."""
        ...


Opened = TypeVar("Opened", bound=Loads)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where planes lie, and how they are read.

    Parameters
    ----------
    folder
        The folder that holds the files, the data set or the store.
    root
        The path that was given, to which `folder` belongs.
    source
        How names and metadata are read; its path does not count.
    """

    folder: Path
    root: Path
    source: FolderSourceConfig
    run: RunConfig

    def __hash__(self) -> int:
        # The settings hold lists and mappings; they count when places are compared.
        return hash((self.folder, self.root))

    @property
    def run_name(self) -> str:
        """The run of what lies in the folder."""
        return run_of(self.folder, self.root)

    def common(self) -> dict[str, Any]:
        """Return the settings that all kinds of sources share."""
        return self.source.model_dump(include=set(ReadingConfig.model_fields))


class PlaneReader(Generic[Opened]):
    """Reads planes by their tickets; in a process that it is sent to, it is opened once.

    Parameters
    ----------
    opening
        A function of a module, so that it can be sent.
    """

    def __init__(self, opening: Callable[[Place], Opened], place: Place) -> None:
        self._opening = opening
        self._place = place
        self.opened = opening(place)

    def __call__(self, ticket: FrameTicket) -> Frame:
        """Read a plane. Raises FrameError or SourceError."""
        return self.opened.load(ticket)

    def __reduce__(self) -> tuple[Callable[..., "PlaneReader[Any]"], tuple[object, ...]]:
        return _reopen, (self._opening, self._place)


@lru_cache(maxsize=_OPENED)
def _reopen(opening: Callable[[Place], Loads], place: Place) -> PlaneReader[Any]:
    return PlaneReader(opening, place)


def open_folder(place: Place) -> FolderFrames:
    """Read files under a folder: each folder below is a run of its own.

    Raises
    ------
    ConfigError
        When a pattern is wrong.
    """
    root = place.folder
    names = NamePattern(place.source.pattern, place.source.counts_from)

    def also(locator: str) -> tuple[Statement, ...]:
        file = root / locator
        run = PlaneFacts(run=run_of(file.parent, root))
        by_folder = Statement(origin=Origin.NAME, by="folder", facts=run)
        if fits(locator):
            return (by_folder,)
        well = PlaneFacts(well=file.name.split(".")[0] or file.name)
        return (by_folder, Statement(origin=Origin.DEFAULT, by="file name", facts=well))

    def fits(locator: str) -> bool:
        try:
            return names.read(locator) is not None
        except FrameError:
            return True

    source = place.source.model_copy(update={"path": root})
    return FolderFrames(source, place.run, DEFAULT_LIMITS, also)


def open_data_set(place: Place) -> NDTiffFrames:
    """Read the images of an NDTiff data set."""
    return NDTiffFrames(
        NDTiffSourceConfig(kind="ndtiff", path=place.folder, **place.common()),
        place.run.model_copy(update={"name": place.run_name}),
        DEFAULT_LIMITS,
        None,
    )


def open_store(place: Place) -> OmeZarrStores:
    """Read the planes of an OME-Zarr store. Raises ConfigError where zarr is not installed."""
    return open_stores(
        OmeZarrSourceConfig(kind="ome-zarr", path=place.folder, **place.common()),
        place.run.model_copy(update={"name": store_stem(place.run_name)}),
    )


def run_of(folder: Path, root: Path) -> str:
    """Return the run of a folder at or below the path that was given."""
    name, below = root.resolve().name, list(folder.relative_to(root).parts)
    # The level of full resolution represents its whole pyramid.
    if below and below[-1] == FULL_RESOLUTION:
        below.pop()
    elif not below and name == FULL_RESOLUTION:
        name = root.resolve().parent.name
    parts = (name, *below)
    return " ".join(part for part in parts if part) or "files"
