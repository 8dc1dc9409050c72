"""Lists the frames of a file in a folder, from statements of its name, metadata and side files.

`base.reading` decides between the statements. No pixels are decoded.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from scopewatch.config import FolderSourceConfig, RunConfig
from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts, Statement
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.reading import FrameReading, read_frame, reading_settings
from scopewatch.sources.folder.file_reading import (
    NO_LIBRARY,
    KnownFrames,
    Listed,
    identifies_itself,
    refuse_file,
)
from scopewatch.sources.folder.side_file_waits import refuse_unnamed
from scopewatch.sources.layouts.beside import PendingSideFile, look_beside
from scopewatch.sources.layouts.copies import refuse_copy
from scopewatch.sources.layouts.naming import NamePattern
from scopewatch.sources.readers.downloads import refuse_unfinished
from scopewatch.sources.readers.image_file import list_planes
from scopewatch.sources.readers.memory import FileMemory
from scopewatch.sources.readers.planes import ReadLimits
from scopewatch.sources.readers.side_files import SideFiles
from scopewatch.sources.readers.vendors.kinds import is_vendor_name, refuse_without_library


class FileListing:
    """Lists the files under one folder; used by the thread of the source and by the worker's.

    Parameters
    ----------
    also
        Returns further statements about the file at a locator.

    Raises
    ------
    ConfigError
        When a pattern is invalid.
    """

    def __init__(
        self,
        config: FolderSourceConfig,
        run: RunConfig,
        limits: ReadLimits,
        also: Callable[[str], tuple[Statement, ...]],
    ) -> None:
        self._config = config
        self._also = also
        self._settings = reading_settings(config, run)
        self._limits = limits
        self._names = NamePattern(config.pattern, config.counts_from)
        self._side_files = SideFiles(limits)
        self._known = KnownFrames()
        self.memory = FileMemory(limits)

    def frames_in(self, locator: str, fingerprint: str, *, patient: bool = True) -> Listed:
        """List the frames of a file, without decoding pixels.

        Parameters
        ----------
        patient
            Whether to wait also for a side file without which the image may be read.

        Raises
        ------
        FrameError
            When the file holds no complete image, or is damaged; SideFilePendingError where a side
            file must list it first.
        """
        path = self.path(locator)
        never = self._names.never(locator)
        if never is not None:
            return refuse_file(locator, fingerprint, str(never))
        no_library = _missing_library(path)
        if no_library is not None:
            return refuse_file(locator, f"{fingerprint}{NO_LIBRARY}", no_library)
        refuse_unfinished(path)
        contents = self._names.frames_of(list_planes(path, self._limits, self.memory))
        if not contents.planes and not contents.awaited:
            raise FrameError(
                complaint(
                    "image file holds no whole image",
                    where=path,
                    got=contents.unfinished,
                    do="check that the writer finished, and write it again",
                )
            )
        alone = len(contents.planes) == 1 and contents.unfinished is None
        if not alone and not contents.axes_known:
            return refuse_file(locator, fingerprint, contents.unnamed(locator))
        beside, missing = self.beside(locator)
        first = contents.planes[0].statements if contents.planes else ()
        self.refuse_unnamed(
            missing, self._names.trusted((*beside, *first)), locator, patient=patient
        )
        context = (beside, contents.trouble)
        known = {} if alone else self._known.of(locator, context)
        listed = []
        for plane in contents.planes:
            before = known.get(plane.page)
            if before is not None and before[0] is plane:
                listed.append(before[1])
                continue
            place = locator if plane.page == 0 else f"{locator}#page={plane.page}"
            mark = fingerprint if alone else plane.fingerprint
            statements = (*beside, *plane.statements)
            each = self.found(locator, place, mark, statements, contents.trouble)
            listed.append(replace(each, size_px=plane.size_px))
        if not alone:
            self._known.keep(locator, context, contents.planes, listed)
        found = tuple(listed)
        of_maker = is_vendor_name(locator)
        if contents.unfinished is None and (of_maker or not alone):
            # Files of makers hold whole stacks; those of other programs may hold one plane of each.
            found = _with_plane_counts(found, least=1 if of_maker else 2)
        return Listed(contents=contents, found=found, missing=missing, alone=alone)

    def name_facts(self, locator: str) -> PlaneFacts | None:
        """Return the facts in a name, quickly; None where it does not fit, or holds no date."""
        try:
            return self._names.read(locator)
        except FrameError:
            return None

    def left_out(self, locator: str) -> str | None:
        """Return the kind of a file that by its name is never a frame; None for any other."""
        return self._names.left_out(locator)

    def names(self, locator: str) -> bool:
        """Return whether the name alone gives the key of a frame."""
        return self.by_name(locator).key is not None

    def by_name(self, locator: str) -> Found:
        """Return the frame that the name alone gives; the file is not opened."""
        try:
            statements = (*self._names.statements(locator), *self._also(locator))
            return self.found(locator, locator, "", statements)
        except FrameError as error:
            return Found(locator=locator, fingerprint="", reason=str(error))

    def path(self, locator: str) -> Path:
        """Return the path of a file. Raises FrameError where it leads out of the folder."""
        if PurePosixPath(locator).is_absolute() or ".." in PurePosixPath(locator).parts:
            raise FrameError(
                complaint(
                    "file name leads out of the watched folder",
                    where=locator,
                    do="check the source's configuration",
                )
            )
        return self._config.path / locator

    def beside(self, locator: str) -> tuple[tuple[Statement, ...], tuple[PendingSideFile, ...]]:
        """Return statements of the name and of side files, and side files that do not list it.

        Raises
        ------
        FrameError
            When the name holds no date where the pattern expects one.
        """
        names = self._names.statements(locator)
        named = names[0].facts if names else NOTHING
        beside = look_beside(
            locator, self._config.path, self._names.layout.sides, named, self._side_files
        )
        return (*beside.statements, *names, *self._also(locator)), beside.missing

    def found(
        self,
        name: str,
        locator: str,
        fingerprint: str,
        statements: tuple[Statement, ...],
        trouble: str | None = None,
    ) -> Found:
        """Return a plane with its key, or with the reason why it has none."""
        try:
            reading = self.read(statements, name, trouble)
        except FrameError as error:
            return Found(locator=locator, fingerprint=fingerprint, reason=str(error))
        return Found(locator=locator, fingerprint=fingerprint, key=reading.key, reading=reading)

    def read(
        self, statements: tuple[Statement, ...], name: str, trouble: str | None = None
    ) -> FrameReading:
        """Decide which frame a plane is. Raises FrameError where it is none."""
        never = self._names.never(name)
        if never is not None:
            raise never
        statements = self._names.trusted(statements)
        beyond_name = [each for each in statements if each.origin is not Origin.NAME]
        refuse_copy(name, self._names, identifies_itself=identifies_itself(beyond_name))
        if not identifies_itself(statements):
            raise FrameError(
                complaint(
                    "file name does not fit the pattern, and its metadata do not name the frame",
                    where=name,
                    expected=f"pattern {self._config.pattern!r}",
                    got=trouble,
                    do="correct `pattern` of the source, or rename the file",
                )
            )
        return read_frame(statements, self._settings, name)

    def refuse_unnamed(
        self,
        missing: tuple[PendingSideFile, ...],
        statements: tuple[Statement, ...],
        locator: str,
        *,
        patient: bool,
    ) -> None:
        """Refuse an image that needs a side file which does not list it yet.

        Raises
        ------
        SideFilePendingError
            Naming the side file.
        """
        refuse_unnamed(missing, statements, self._settings, locator, patient=patient)


def _with_plane_counts(found: tuple[Found, ...], *, least: int) -> tuple[Found, ...]:
    """Return frames of a finished file, where a stack has as many planes as the file holds."""
    planes = Counter(each.key for each in found if each.z is not None)
    return tuple(
        replace(each, reading=replace(each.reading, z_planes=planes[each.key]))
        if each.reading is not None and not each.reading.z_planes and planes[each.key] >= least
        else each
        for each in found
    )


def _missing_library(path: Path) -> str | None:
    """Return the error about a vendor format without an installed reader; None for others."""
    try:
        if is_vendor_name(path.name):
            refuse_without_library(path)
    except FrameError as error:
        return str(error)
    return None
