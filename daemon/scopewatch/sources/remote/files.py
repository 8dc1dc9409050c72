"""The files of a remote folder: what its server lists, and copies of what does not change."""

from collections import OrderedDict
from pathlib import Path
from typing import Final

from scopewatch.core.errors import ConfigError, FrameError, complaint
from scopewatch.sources.remote.connections import Connections
from scopewatch.sources.remote.entries import Entry
from scopewatch.sources.remote.urls import RemoteFolder, reason_of, unreachable

_FOLDERS: Final = 256
_TREES: Final = 16
_TRIES: Final = 3


class RemoteFiles:
    """Lists and copies the files of a remote folder.

    What was listed is remembered for reading planes alone: files beside them, and those of whole
    data sets.

    Raises
    ------
    ConfigError
        When the URL cannot be used.
    """

    def __init__(self, remote: RemoteFolder) -> None:
        self._remote = remote
        self._server = Connections(remote.url)
        self._sides: OrderedDict[str, list[Entry]] = OrderedDict()
        self._trees: OrderedDict[str, list[Entry]] = OrderedDict()

    def list_folder(self, below: str) -> list[Entry]:
        """List a folder, of the uppermost one what is meant of it.

        Raises
        ------
        ConfigError
            When it cannot be listed.
        """
        try:
            found = self._server.ask("ls", self._server.path_of(below), detail=True)
            entries = [self._server.entry_of(each) for each in found]
        except ConfigError:
            raise
        except Exception as error:
            raise unreachable(self._remote.url_of(below), error) from error
        # Some stores list a folder as an object of itself.
        listed = [each for each in entries if each.path not in {below, ""}]
        if self._remote.only and not below:
            listed = [each for each in listed if each.name == self._remote.only] + [
                each for each in listed if each.is_side_file
            ]
        self._sides[below] = [each for each in listed if each.is_side_file]
        while len(self._sides) > _FOLDERS:
            self._sides.popitem(last=False)
        return listed

    def side_files(self, below: str) -> list[Entry]:
        """Return the files of a folder that may state facts about images; it is listed once.

        Raises
        ------
        ConfigError
            When it cannot be listed.
        """
        if below not in self._sides:
            self.list_folder(below)
        return self._sides[below]

    def list_files(self, below: str) -> list[Entry]:
        """Return all files of a data set: it is listed once, since it is read plane by plane.

        Raises
        ------
        FrameError
            When it cannot be listed.
        """
        listed = self._trees.get(below)
        if listed is None:
            try:
                found = self._server.ask("find", self._server.path_of(below), detail=True)
            except Exception as error:
                raise self.unfetched(below, error) from error
            listed = [self._server.entry_of(each) for each in found.values()]
            self._trees[below] = listed
            while len(self._trees) > _TREES:
                self._trees.popitem(last=False)
        return listed

    def look(self, path: str) -> Entry:
        """Return what a file is now. Raises FrameError."""
        try:
            return self._server.entry_of(self._server.ask("info", self._server.path_of(path)))
        except Exception as error:
            raise self.unfetched(path, error) from error

    def copy(self, entry: Entry, part: Path) -> Entry:
        """Copy a file that does not change meanwhile, and return what it is.

        Libraries fetch large objects in pieces, and may join those of two versions.

        Raises
        ------
        FrameError
            When it is gone, or changes each time. What the library raises, as it is.
        """
        for _ in range(_TRIES):
            self._server.ask("get_file", self._server.path_of(entry.path), str(part))
            seen, size = self.look(entry.path), part.stat().st_size
            # More where it was compressed for the transfer.
            if seen.is_same(entry) and size >= seen.size:
                return seen
            entry = seen
        raise FrameError(
            complaint(
                "file cannot be fetched whole",
                where=self._remote.url_of(entry.path),
                expected=f"{entry.size} bytes that stay the same",
                got=f"{size} bytes, or other ones each time",
                do="wait until nobody writes it, and give the same call again",
            )
        )

    def unfetched(self, path: str, error: Exception) -> FrameError:
        """Return the error about a file that could not be fetched; one of ours in its own words."""
        if isinstance(error, FrameError):
            return error
        if isinstance(error, ConfigError):
            return FrameError(str(error))
        return FrameError(
            complaint(
                "file cannot be fetched",
                where=self._remote.url_of(path),
                got=reason_of(error),
                do="check that it exists, the network and the credentials",
            )
        )
