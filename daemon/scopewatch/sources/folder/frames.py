"""Reads image files in a folder: their names, their frames, their pixels.

This module collects statements of names, metadata and side files; `base.reading` decides.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from scopewatch.config import ExperimentConfig, FolderSourceConfig
from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.imaging.frame import Frame, FrameTicket
from scopewatch.event_log import get_logger
from scopewatch.sources.base.away import Identity, blame_share, identify
from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts, Statement
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.reading import FrameReading, read_frame, reading_settings
from scopewatch.sources.folder.file_reading import (
    GIVEN_UP,
    NO_LIBRARY,
    PLANE_GIVEN_UP,
    FileReading,
    KnownFrames,
    Listed,
    changed_since,
    given_up_mark,
    identifies_itself,
    refuse_file,
)
from scopewatch.sources.folder.side_file_waits import refuse_unnamed
from scopewatch.sources.folder.walk import look_at
from scopewatch.sources.layouts.beside import PendingSideFile, look_beside
from scopewatch.sources.layouts.copies import refuse_copy
from scopewatch.sources.layouts.naming import NamePattern
from scopewatch.sources.readers.content import content_of
from scopewatch.sources.readers.downloads import refuse_unfinished
from scopewatch.sources.readers.image_file import list_planes, read_plane
from scopewatch.sources.readers.memory import FileMemory
from scopewatch.sources.readers.planes import (
    DEFAULT_LIMITS,
    NotWrittenError,
    PlaneEntry,
    ReadLimits,
)
from scopewatch.sources.readers.side_files import SideFiles
from scopewatch.sources.readers.vendors.kinds import is_vendor_name, refuse_without_library

log = get_logger(__name__)

_LOCATOR = re.compile(r"(?s)(?P<path>.+?)(?:#page=(?P<page>\d{1,9}))?")


class FolderFrames:
    """Reads the files under one folder; used by the thread of the source and by the worker's.

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
        experiment: ExperimentConfig,
        limits: ReadLimits = DEFAULT_LIMITS,
        also: Callable[[str], tuple[Statement, ...]] = lambda _: (),
    ) -> None:
        self._config = config
        self._also = also
        self._settings = reading_settings(config, experiment)
        self._limits = limits
        self._names = NamePattern(config.pattern, config.counts_from)
        self._side_files = SideFiles(limits)
        self._memory = FileMemory(limits)
        self._known = KnownFrames()
        self._root: Identity | None = None

    @property
    def root(self) -> Path:
        """The folder that holds the files."""
        return self._config.path

    def read(
        self,
        locator: str,
        fingerprint: str,
        pending: Callable[[str, str], bool],
        *,
        changing: bool = False,
    ) -> FileReading:
        """List the frames of a complete file, or the complete ones of a growing file.

        A single image is decoded, since only that shows that it is complete. So is each new page of
        a stack; a page that does not decode is offered nevertheless, so that the worker reports
        why. A page that is not completely written waits.

        Parameters
        ----------
        pending
            Returns whether the item of a (locator, fingerprint) may still need work.
        changing
            The file keeps changing: all planes of a growing stack but the last are taken, and none
            of any other file.

        Raises
        ------
        FrameError
            When the file is incomplete or damaged; SideFilePendingError where a side file must list
            it first.
        """
        listed = self._list(locator, fingerprint)
        contents, path = listed.contents, self._path(locator)
        self._root = identify(self._config.path)
        if changing and (contents.unfinished is None or is_vendor_name(locator)):
            return FileReading(found=(), unfinished="it is being written")
        if listed.alone:
            plane = read_plane(path, contents.planes[0].page, self._limits, self._memory)
            found = replace(listed.found[0], content=content_of(plane.pixels))
            return replace(listed.reading(), found=(found,))
        if not contents.planes or is_vendor_name(locator):
            # A vendor's program writes such a file in one go: there is nothing to wait for.
            return listed.reading()
        planes = contents.planes[:-1] if changing else contents.planes
        whole: list[tuple[PlaneEntry, Found]] = []
        waiting: list[Found] = []
        for entry, each in zip(planes, listed.found, strict=False):
            content: str | None = each.content
            if each.key is not None and pending(each.locator, each.fingerprint):
                content = self._content(path, entry)
            if content is None:
                mark = f"{entry.fingerprint}{PLANE_GIVEN_UP}"
                waiting.append(replace(each, fingerprint=mark))
            else:
                whole.append((entry, replace(each, content=content)))
        self._memory.keep(path, contents.stamp, [entry for entry, _ in whole])
        reading = replace(
            listed.reading(), found=tuple(each for _, each in whole), waiting=tuple(waiting)
        )
        if waiting and reading.unfinished is None:
            return replace(reading, unfinished=f"{len(waiting)} planes are not completely written")
        return reading

    def describe(self, locator: str, fingerprint: str) -> FileReading:
        """List the frames of a file as `read` does, without decoding pixels.

        Side files are not waited for, where the image may be read without.

        Raises
        ------
        FrameError
            When the file holds no complete image, or is damaged.
        """
        return self._list(locator, fingerprint, patient=False).reading()

    def name_facts(self, locator: str) -> PlaneFacts | None:
        """Return the facts in a name, quickly; None where it does not fit, or holds no date."""
        try:
            return self._names.read(locator)
        except FrameError:
            return None

    def left_out(self, locator: str) -> str | None:
        """Return the kind of a file that by its name is never a frame; None for any other."""
        return self._names.left_out(locator)

    def by_name(self, locator: str) -> Found:
        """Return the frame that the name alone gives; the file is not opened."""
        try:
            statements = (*self._names.statements(locator), *self._also(locator))
            return self._found(locator, locator, "", statements)
        except FrameError as error:
            return Found(locator=locator, fingerprint="", reason=str(error))

    def _list(self, locator: str, fingerprint: str, *, patient: bool = True) -> Listed:
        path = self._path(locator)
        never = self._names.never(locator)
        if never is not None:
            return refuse_file(locator, fingerprint, str(never))
        no_library = _missing_library(path)
        if no_library is not None:
            return refuse_file(locator, f"{fingerprint}{NO_LIBRARY}", no_library)
        refuse_unfinished(path)
        contents = self._names.frames_of(list_planes(path, self._limits, self._memory))
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
        beside, missing = self._beside(locator)
        first = contents.planes[0].statements if contents.planes else ()
        refuse_unnamed(
            missing,
            self._names.trusted((*beside, *first)),
            self._settings,
            locator,
            patient=patient,
        )
        context = (beside, contents.trouble)
        known = {} if alone else self._known.of(locator, context)
        found = []
        for plane in contents.planes:
            before = known.get(plane.page)
            if before is not None and before[0] is plane:
                found.append(before[1])
                continue
            place = locator if plane.page == 0 else f"{locator}#page={plane.page}"
            mark = fingerprint if alone else plane.fingerprint
            statements = (*beside, *plane.statements)
            each = self._found(locator, place, mark, statements, contents.trouble)
            found.append(replace(each, size_px=plane.size_px))
        if not alone:
            self._known.keep(locator, context, contents.planes, found)
        return Listed(contents=contents, found=tuple(found), missing=missing, alone=alone)

    def give_up(self, locator: str, fingerprint: str, why: FrameError) -> Found:
        """Return how to settle a file that was never complete: the worker reports why.

        This settles the present state of the file. Offered complete with the same fingerprint,
        after a program reset its time, it counts as changed.
        """
        mark = given_up_mark(fingerprint)
        try:
            if is_vendor_name(locator):
                self._list(locator, fingerprint)  # raises the reason; the name gives one plane
            beside, missing = self._beside(locator)
            refuse_unnamed(missing, beside, self._settings, locator, patient=False)
            found = self._found(locator, locator, mark, beside)
        except FrameError as error:
            return Found(locator=locator, fingerprint=mark, reason=str(error))
        return found if found.key is not None else replace(found, reason=str(why))

    def load(self, ticket: FrameTicket) -> Frame:
        """Read the pixels of a frame.

        Raises
        ------
        FrameError
            When they cannot be read, or belong to no frame.
        SourceError
            When the share or disk does not answer.
        """
        match = _LOCATOR.fullmatch(ticket.locator)
        locator = match["path"] if match is not None else ticket.locator
        page = int(match["page"] or 0) if match is not None else 0
        path = self._path(locator)
        if ticket.fingerprint.endswith(GIVEN_UP):
            self._refuse_changed(locator, ticket.fingerprint.removesuffix(GIVEN_UP))
        try:
            refuse_unfinished(path)
            plane = read_plane(path, page, self._limits, self._memory)
        except FrameError as error:
            blame_share(error.__cause__, self._config.path, self._root)
            raise
        if ticket.fingerprint.endswith(PLANE_GIVEN_UP):
            raise changed_since(ticket.locator)
        reading = self._read((*self._beside(locator)[0], *plane.statements), locator)
        return Frame(
            key=ticket.key,
            pixels=plane.pixels,
            pixel_size_um=reading.pixel_size_um,
            acquired_at=reading.acquired_at,
            elapsed_s=reading.elapsed_s,
        )

    def _refuse_changed(self, locator: str, fingerprint: str) -> None:
        """Refuse a file that changed after it was given up: it is offered again once complete."""
        seen = look_at(self._config.path, locator)
        if seen is not None and seen.fingerprint != fingerprint:
            raise changed_since(locator)

    def _content(self, path: Path, entry: PlaneEntry) -> str | None:
        """Return the checksum of the pixels of a page; '' where it does not decode.

        None where it is not completely written.
        """
        try:
            content = content_of(read_plane(path, entry.page, self._limits, self._memory).pixels)
            if entry.bare and entry not in list_planes(path, self._limits, self._memory).planes:
                # Written between the two looks: its fingerprint has changed.
                return None
        except NotWrittenError:
            return None
        except FrameError as error:
            log.info("page does not decode", path=str(path), page=entry.page, reason=str(error))
            return ""
        return content

    def _path(self, locator: str) -> Path:
        if PurePosixPath(locator).is_absolute() or ".." in PurePosixPath(locator).parts:
            raise FrameError(
                complaint(
                    "file name leads out of the watched folder",
                    where=locator,
                    do="check the source's configuration",
                )
            )
        return self._config.path / locator

    def _beside(self, locator: str) -> tuple[tuple[Statement, ...], tuple[PendingSideFile, ...]]:
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

    def _found(
        self,
        name: str,
        locator: str,
        fingerprint: str,
        statements: tuple[Statement, ...],
        trouble: str | None = None,
    ) -> Found:
        """Return a plane with its key, or with the reason why it has none."""
        try:
            reading = self._read(statements, name, trouble)
        except FrameError as error:
            return Found(locator=locator, fingerprint=fingerprint, reason=str(error))
        return Found(locator=locator, fingerprint=fingerprint, key=reading.key, reading=reading)

    def _read(
        self, statements: tuple[Statement, ...], name: str, trouble: str | None = None
    ) -> FrameReading:
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


def _missing_library(path: Path) -> str | None:
    """Return the error about a vendor format without an installed reader; None for others."""
    try:
        if is_vendor_name(path.name):
            refuse_without_library(path)
    except FrameError as error:
        return str(error)
    return None
