"""Side files: files beside images that hold facts about them.

A layout names its side files. An image waits for a side file that all images of the layout have,
and that may come later than the image (`awaited`); where that file alone names the well, the image
is never read without it (`needed`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts, Statement
from scopewatch.sources.readers.micromanager_metadata import read_series
from scopewatch.sources.readers.side_files import SideFiles, Version


class SideFacts(Protocol):
    """Facts in a side file."""

    def of(self, name: str, named: PlaneFacts, /) -> PlaneFacts | None:
        """Return the facts of an image; None where the file does not list it (yet).

        Parameters
        ----------
        name
            Name of the image file, without its folders.
        named
            Facts in that name.
        """

    def lists(self, name: str, /) -> bool:
        """Return whether it lists this very image, so that no further facts will come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideFile:
    """A kind of file beside images.

    Parameters
    ----------
    names
        Possible names; the first that exists is used. `{folder}` is the name of its folder.
    parse
        Reads it; returns None, or raises ValueError, where it is incomplete.
    above
        In how many folders above the image it may lie, the folder of the image included.
    awaited
        Fact for which an image waits a while, where nothing else states it.
    needed
        Whether the image is not read without that fact.
    """

    names: tuple[str, ...]
    parse: Callable[[BinaryIO, Path], SideFacts | None]
    above: int = 0
    awaited: str | None = None
    needed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingSideFile:
    """A side file that does not list an image so far.

    Parameters
    ----------
    path
        Its present or expected path.
    version
        Version that was read; None where it does not exist.
    """

    side: SideFile
    path: Path
    version: Version | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Statements of the side files of an image, and side files that do not list it so far."""

    statements: tuple[Statement, ...] = ()
    missing: tuple[PendingSideFile, ...] = ()


def _parse_series(file: BinaryIO, _: Path) -> SideFacts:
    return _Series(read_series(file.read().decode("utf-8", "replace")).images)


@dataclass(frozen=True, slots=True)
class _Series:
    images: dict[str, PlaneFacts]

    def of(self, name: str, _named: PlaneFacts) -> PlaneFacts | None:
        return self.images.get(name)

    def lists(self, name: str) -> bool:
        return name in self.images


# The file of Micro-Manager, which is looked for beside every image: its series may have any name.
SERIES = SideFile(names=("metadata.txt",), parse=_parse_series)


def look_beside(
    locator: str, root: Path, sides: Iterable[SideFile], named: PlaneFacts, files: SideFiles
) -> Beside:
    """Return what the side files of an image state.

    Parameters
    ----------
    locator
        Path of the image relative to `root`; nothing is looked for above `root`.
    sides
        Side files of the layout; `SERIES` is always added.
    named
        Facts in the name of the image.
    """
    folders, name = PurePosixPath(locator).parts[:-1], PurePosixPath(locator).name
    statements: list[Statement] = []
    missing: list[PendingSideFile] = []

    def names_it(facts: SideFacts | None) -> bool:
        return facts is not None and facts.of(name, named) is not None

    for side in dict.fromkeys((*sides, SERIES)):
        path, version, facts = _read(root, folders, side, files, names_it)
        stated = None if facts is None else facts.of(name, named)
        expected = version is not None or side is not SERIES
        if expected and (facts is None or stated is None or not facts.lists(name)):
            missing.append(PendingSideFile(side=side, path=path, version=version))
        if stated is not None and stated != NOTHING:
            statements.append(Statement(origin=Origin.SET, by=path.name, facts=stated))
    return Beside(statements=tuple(statements), missing=tuple(missing))


def _read(
    root: Path,
    folders: tuple[str, ...],
    side: SideFile,
    files: SideFiles,
    enough: Callable[[SideFacts | None], bool],
) -> tuple[Path, Version | None, SideFacts | None]:
    """Return the present or expected path of a side file, its version, and its facts."""
    there: tuple[Path, Version | None] = (_named(root.joinpath(*folders), side.names[0]), None)
    for up in range(min(side.above, len(folders)) + 1):
        folder = root.joinpath(*folders[: len(folders) - up])
        for name in side.names:
            path = _named(folder, name)
            version, facts = files.read(path, side.parse, enough)
            if facts is not None:
                return path, version, facts
            if version is not None:
                there = path, version
    return *there, None


def _named(folder: Path, name: str) -> Path:
    return folder / name.replace("{folder}", folder.name)
