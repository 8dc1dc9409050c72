"""Lists frames behind a URL as those of a folder: files are fetched and read here."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from scopewatch.app.oneshot.items import Item, Listed, Unlisted
from scopewatch.app.oneshot.listing import Listing, ListingSettings, natural
from scopewatch.app.oneshot.plane_readers import Loads, Opened, Place, PlaneReader, open_folder
from scopewatch.core.errors import FrameError, SourceError
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.tickets import FrameTicket
from scopewatch.sources.layouts.candidates import is_candidate_folder, is_store_name
from scopewatch.sources.ndtiff.pyramid import FULL_RESOLUTION, is_coarser_name, is_data_set_file
from scopewatch.sources.omezarr.nodes import ROOT_FILES
from scopewatch.sources.remote.entries import Entry
from scopewatch.sources.remote.mirror import mirror_of
from scopewatch.sources.remote.urls import RemoteFolder

# Files whose transfer goes on while those before them are read.
_AHEAD: Final = 4


class RemoteReader(PlaneReader[Opened]):
    """Reads planes of files that are fetched when they are not there.

    Parameters
    ----------
    opening, place
        As for `PlaneReader`; the place is in the mirror of this process.
    """

    def __init__(
        self, opening: Callable[[Place], Opened], place: Place, *, remote: RemoteFolder
    ) -> None:
        super().__init__(opening, place)
        self._remote = remote
        self._mirror = mirror_of(remote)
        self._below = _relative(place.folder, self._mirror.root)

    def __call__(self, ticket: FrameTicket) -> Frame:
        """Fetch and read a plane. Raises FrameError or SourceError."""
        path = ticket.locator.partition("#page=")[0]
        files = self._opening is open_folder
        holding = self._mirror.file(path) if files else self._mirror.tree(self._below)
        with holding, named_by_url(self._remote):
            return super().__call__(ticket)

    def __reduce__(self) -> tuple[Callable[..., PlaneReader[Any]], tuple[object, ...]]:
        # The mirror of another process lies elsewhere.
        below = replace(self._place, folder=Path(self._below), root=Path())
        return _reopen, (self._opening, below, self._remote)


@lru_cache(maxsize=16)
def _reopen(
    opening: Callable[[Place], Loads], below: Place, remote: RemoteFolder
) -> PlaneReader[Any]:
    root = mirror_of(remote).root
    place = replace(below, folder=root / below.folder, root=root)
    return RemoteReader(opening, place, remote=remote)


@contextmanager
def named_by_url(remote: RemoteFolder) -> Iterator[None]:
    """Raise errors about fetched files under the URL of the folder."""
    try:
        yield
    except FrameError as error:
        raise FrameError(_by_url(str(error), remote)) from error
    except SourceError as error:
        raise SourceError(_by_url(str(error), remote)) from error


class RemoteListing:
    """Lists the frames behind a URL.

    Parameters
    ----------
    settings
        As for `Listing`.
    """

    def __init__(self, settings: ListingSettings, remote: RemoteFolder) -> None:
        self._remote = remote
        self._settings = settings

    def walk(self) -> Iterator[Listed | Unlisted]:
        """List the frames, in the order a person would; z-stacks come last.

        Raises
        ------
        ConfigError
            When the URL cannot be listed.
        """
        self._mirror = mirror_of(self._remote)
        self._listing = Listing(self._settings, reader=partial(RemoteReader, remote=self._remote))
        self._reader = self._listing.frames_in(self._mirror.root)
        for item in self._listing.settle(self._walk_folder("")):
            if isinstance(item, Listed):
                yield replace(item, place=_by_url(item.place, self._remote))
            else:
                place, reason = (_by_url(text, self._remote) for text in (item.place, item.reason))
                yield replace(item, place=place, reason=reason)

    def _walk_folder(self, below: str) -> Iterator[Item]:
        entries = sorted(self._mirror.entries(below), key=lambda entry: natural(entry.name))
        files = [entry for entry in entries if not entry.is_folder]
        folder, root = self._mirror.root / below, self._mirror.root
        if is_store_name(folder.name) or any(entry.name in ROOT_FILES for entry in files):
            yield from self._whole(below, self._listing.open_store(folder, root))
            return
        if any(is_data_set_file(entry.name) for entry in files):
            yield from self._whole(below, self._listing.open_data_set(folder, root))
            return
        ahead = iter([entry for entry in files if entry.is_image])
        for entry in islice(ahead, _AHEAD):
            self._mirror.want(entry)
        for entry in entries:
            if entry.is_image:
                for coming in islice(ahead, 1):
                    self._mirror.want(coming)
                yield from self._file(entry)
            elif entry.is_folder and _is_entered(entry, entries):
                yield from self._walk_folder(entry.path)

    def _file(self, entry: Entry) -> Iterator[Item]:
        try:
            with self._mirror.file(entry.path, entry):
                found = list(self._listing.open_file(entry.path, self._mirror.root, self._reader))
        except FrameError as error:
            yield Unlisted(place=self._remote.url_of(entry.path), reason=str(error))
            return
        yield from found

    def _whole(self, below: str, items: Iterator[Item]) -> Iterator[Item]:
        """List a data set or a store, which is fetched whole."""
        try:
            with self._mirror.tree(below):
                yield from items
        except FrameError as error:
            yield Unlisted(place=self._remote.url_of(below), reason=str(error))


def list_remote_names(remote: RemoteFolder, most: int) -> list[str]:
    """Return the paths of image files below a URL: the first ones. Raises ConfigError."""
    mirror = mirror_of(remote)

    def below(folder: str) -> Iterator[str]:
        for entry in mirror.entries(folder):
            if entry.is_image:
                yield entry.path
            elif entry.is_folder and not is_store_name(entry.name) and _is_entered(entry, ()):
                yield from below(entry.path)

    return list(islice(below(""), most))


def _is_entered(entry: Entry, beside: Sequence[Entry]) -> bool:
    coarser = is_coarser_name(entry.name) and any(each.name == FULL_RESOLUTION for each in beside)
    return is_candidate_folder(entry.name) and not coarser


def _relative(folder: Path, root: Path) -> str:
    below = folder.relative_to(root).as_posix()
    return "" if below == "." else below


def _by_url(text: str, remote: RemoteFolder) -> str:
    return text.replace(str(mirror_of(remote).root), remote.url)
