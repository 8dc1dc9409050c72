"""What lies beside images and tells of them: which file, and what is taken from it.

A layout names its side files. One that every image of a layout has, and that may come later than
the image (`awaited`), is waited for; where it alone names the well, the image is never read
without (`needed`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts, Statement
from scopewatch.sources.readers.micromanager_metadata import read_series
from scopewatch.sources.readers.side_files import SideFiles, Version


class SideFacts(Protocol):
    """What a side file says."""

    def of(self, name: str, named: PlaneFacts, /) -> PlaneFacts | None:
        """Return the facts of an image; None where the file does not name it (yet).

        Parameters
        ----------
        name
            Of the image file, without its folders.
        named
            What that name says.
        """

    def lists(self, name: str, /) -> bool:
        """Tell whether it speaks of this very image, so that it has no more to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideFile:
    """A file beside images.

    Parameters
    ----------
    names
        What it may be called; the first that is there counts.
    parse
        Reads it; returns None, or raises ValueError, where it is not whole.
    above
        In how many folders above the image it may lie, the image's own folder first.
    awaited
        The fact for which an image waits a while, where nothing else says it.
    needed
        That fact must be known, or the image is not read.
    """

    names: tuple[str, ...]
    parse: Callable[[BinaryIO, Path], SideFacts | None]
    above: int = 0
    awaited: str | None = None
    needed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingSideFile:
    """A side file that does not tell of an image so far.

    Parameters
    ----------
    path
        Where it is, or is to be.
    version
        That was asked; None where it is not there.
    """

    side: SideFile
    path: Path
    version: Version | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the side files of an image say, and which say nothing of it so far."""

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


# Micro-Manager's, which is looked for beside every image: any name may be given to its series.
SERIES = SideFile(names=("metadata.txt",), parse=_parse_series)


def look_beside(
    locator: str, root: Path, sides: Iterable[SideFile], named: PlaneFacts, files: SideFiles
) -> Beside:
    """Return what lies beside an image.

    Parameters
    ----------
    locator
        Path of the image relative to `root`, beyond which nothing is looked for.
    sides
        Of the layout; `SERIES` is looked for besides.
    named
        What its name says.
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
    """Return where a side file is, or would be, its version, and what it says."""
    there: tuple[Path, Version | None] = (root.joinpath(*folders) / side.names[0], None)
    for up in range(min(side.above, len(folders)) + 1):
        folder = root.joinpath(*folders[: len(folders) - up])
        for name in side.names:
            version, facts = files.read(folder / name, side.parse, enough)
            if facts is not None:
                return folder / name, version, facts
            if version is not None:
                there = folder / name, version
    return *there, None
