"""From image files in a folder to frames: what they are called, what they hold, their pixels.

What names, metadata and files beside the images say is gathered here; `base.reading` decides.
"""

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from scopewatch.config import ExperimentConfig, FolderSourceConfig
from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.frame import Frame, FrameTicket
from scopewatch.sources.base.away import Identity, blame_share, identify
from scopewatch.sources.base.content import content_of
from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts, Statement
from scopewatch.sources.base.offering import Found
from scopewatch.sources.base.reading import FrameReading, read_frame, reading_settings
from scopewatch.sources.folder.awaiting import refuse_unnamed
from scopewatch.sources.folder.walk import look_at
from scopewatch.sources.layouts.beside import Missing, look_beside
from scopewatch.sources.layouts.copies import refuse_copy
from scopewatch.sources.layouts.naming import NamePattern
from scopewatch.sources.readers.downloads import refuse_unfinished
from scopewatch.sources.readers.image_file import list_planes, read_plane
from scopewatch.sources.readers.planes import DEFAULT_LIMITS, Contents, ReadLimits
from scopewatch.sources.readers.side_files import SideFiles
from scopewatch.sources.readers.vendors.kinds import is_vendor_name, refuse_without_library

log = logging.getLogger(__name__)

# Ends the fingerprint of a file that was handed on though it is not whole: it is settled as it
# is, and the file itself stays open. Once it is whole it is another.
_GIVEN_UP = "!"
# Ends that of a file whose library is not installed: with it, the file is another.
_NO_LIBRARY = "?"
_LOCATOR = re.compile(r"(?s)(?P<path>.+?)(?:#page=(?P<page>\d{1,9}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReading:
    """What a look into a file found.

    Parameters
    ----------
    found
        Its frames, and refusals of planes that are none.
    unfinished
        Why more may come; None when the file is whole.
    cut_off
        It ends before what it declares.
    missing
        Files beside it that do not tell of it so far.
    """

    found: tuple[Found, ...]
    unfinished: str | None = None
    cut_off: bool = False
    missing: tuple[Missing, ...] = ()


class FolderFrames:
    """Reads the files under one folder; used by the source's thread and the worker's.

    Parameters
    ----------
    also
        Returns what is known of the file at a locator besides.

    Raises
    ------
    ConfigError
        When a pattern is wrong.
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
        self._root: Identity | None = None

    def read(
        self, locator: str, fingerprint: str, pending: Callable[[str, str], bool]
    ) -> FileReading:
        """List the frames of a file that is whole, or the whole ones of a file that grows.

        A single image is decoded, since only that shows that it is whole. So is each new page
        of a stack; one that does not decode is offered all the same, for the worker to say why.

        Parameters
        ----------
        pending
            Tells of (locator, fingerprint) whether it may still need work.

        Raises
        ------
        FrameError
            When the file is not whole, or damaged; AwaitedError where a file beside it has to
            tell of it first.
        """
        contents, found, missing = self._list(locator, fingerprint)
        path = self._path(locator)
        self._root = identify(self._config.path)
        alone = len(contents.planes) == 1 and contents.unfinished is None
        in_closed_file = is_vendor_name(locator)
        for index, (plane, each) in enumerate(zip(contents.planes, found, strict=False)):
            if alone:
                content = content_of(read_plane(path, plane.page, self._limits).pixels)
            elif in_closed_file:
                continue  # its program has closed it: there is nothing to wait for
            elif pending(each.locator, each.fingerprint):
                content = self._try(path, plane.page)
            else:
                continue
            found[index] = replace(each, content=content)
        return _reading(contents, found, missing)

    def describe(self, locator: str, fingerprint: str) -> FileReading:
        """List the frames of a file as `read` does, without decoding any pixels.

        A file beside it is not waited for, where the image may be read without.

        Raises
        ------
        FrameError
            When the file holds no whole image, or is damaged.
        """
        return _reading(*self._list(locator, fingerprint, patient=False))

    def name_facts(self, locator: str) -> PlaneFacts | None:
        """Return what a name says, quickly; None where it does not fit, or holds no date."""
        try:
            return self._names.read(locator)
        except FrameError:
            return None

    def by_name(self, locator: str) -> Found:
        """Return what the name alone makes of a file, which is not opened."""
        try:
            statements = (*self._names.statements(locator), *self._also(locator))
            return self._found(locator, locator, "", statements)
        except FrameError as error:
            return Found(locator=locator, fingerprint="", reason=str(error))

    def _list(
        self, locator: str, fingerprint: str, *, patient: bool = True
    ) -> tuple[Contents, list[Found], tuple[Missing, ...]]:
        path = self._path(locator)
        never = self._names.never(locator)
        if never is not None:
            left_out = Found(locator=locator, fingerprint=fingerprint, reason=str(never))
            return Contents(planes=()), [left_out], ()
        no_library = _missing_library(path)
        if no_library is not None:
            mark = f"{fingerprint}{_NO_LIBRARY}"
            unread = Found(locator=locator, fingerprint=mark, reason=no_library)
            return Contents(planes=()), [unread], ()
        refuse_unfinished(path)
        contents = self._names.frames_of(list_planes(path, self._limits))
        if not contents.planes:
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
            reason = contents.unnamed(locator)
            unnamed = Found(locator=locator, fingerprint=fingerprint, reason=reason)
            return Contents(planes=()), [unnamed], ()
        beside, missing = self._beside(locator)
        told = self._names.trusted((*beside, *contents.planes[0].statements))
        refuse_unnamed(missing, told, self._settings, locator, patient=patient)
        found = []
        for plane in contents.planes:
            place = locator if plane.page == 0 else f"{locator}#page={plane.page}"
            mark = fingerprint if alone else plane.fingerprint
            said = (*beside, *plane.statements)
            each = self._found(locator, place, mark, said, contents.trouble)
            found.append(replace(each, size_px=plane.size_px))
        return contents, found, missing

    def give_up(self, locator: str, fingerprint: str) -> Found:
        """Return what to do with a file that never got whole: let the worker say why.

        What is settled so is the file as it is. Offered whole with the same fingerprint, since a
        program put its time back, it is taken for changed.
        """
        mark = given_up_mark(fingerprint)
        try:
            if is_vendor_name(locator):
                self._list(locator, fingerprint)  # says why; its name would tell one plane
            beside, missing = self._beside(locator)
            refuse_unnamed(missing, beside, self._settings, locator, patient=False)
            return self._found(locator, locator, mark, beside)
        except FrameError as error:
            return Found(locator=locator, fingerprint=mark, reason=str(error))

    def cut_off(self, locator: str, fingerprint: str, reading: FileReading) -> Found:
        """Return the refusal of a stack that ends in the middle of a page."""
        reason = complaint(
            "image stack ends in the middle of a page",
            where=locator,
            got=reading.unfinished,
            do="check that the writer finished; its whole pages are used",
        )
        return Found(
            locator=f"{locator}#page={len(reading.found)}", fingerprint=fingerprint, reason=reason
        )

    def load(self, ticket: FrameTicket) -> Frame:
        """Read the pixels of a frame.

        Raises
        ------
        FrameError
            When they cannot be read, or are not those of a frame.
        SourceError
            When the share or disk does not answer.
        """
        match = _LOCATOR.fullmatch(ticket.locator)
        locator = match["path"] if match is not None else ticket.locator
        page = int(match["page"] or 0) if match is not None else 0
        path = self._path(locator)
        if ticket.fingerprint.endswith(_GIVEN_UP):
            self._refuse_changed(locator, ticket.fingerprint.removesuffix(_GIVEN_UP))
        try:
            refuse_unfinished(path)
            plane = read_plane(path, page, self._limits)
        except FrameError as error:
            blame_share(error.__cause__, self._config.path, self._root)
            raise
        reading = self._read((*self._beside(locator)[0], *plane.statements), locator)
        return Frame(
            key=ticket.key,
            pixels=plane.pixels,
            pixel_size_um=reading.pixel_size_um,
            acquired_at=reading.acquired_at,
            elapsed_s=reading.elapsed_s,
        )

    def _refuse_changed(self, locator: str, fingerprint: str) -> None:
        """Refuse a file that was given up and has changed since: it is offered anew once whole."""
        seen = look_at(self._config.path, locator)
        if seen is not None and seen.fingerprint != fingerprint:
            raise FrameError(
                complaint(
                    "image file was not whole in time, and has changed since",
                    where=locator,
                    do="nothing: it is looked at again",
                )
            )

    def _try(self, path: Path, page: int) -> str:
        """Return what names the pixels of a page; '' where it does not decode."""
        try:
            return content_of(read_plane(path, page, self._limits).pixels)
        except FrameError as error:
            log.info(
                "page does not decode",
                extra={"event": {"path": str(path), "page": page, "reason": str(error)}},
            )
            return ""

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

    def _beside(self, locator: str) -> tuple[tuple[Statement, ...], tuple[Missing, ...]]:
        """Return what the name and the files beside an image say, and which do not tell of it.

        Raises
        ------
        FrameError
            When the name holds no date where one is meant.
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
        """Give a plane its key, or the reason why it has none."""
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
        told = [each for each in statements if each.origin is not Origin.NAME]
        refuse_copy(name, self._names, says_what_it_is=says_what_it_is(told))
        if not says_what_it_is(statements):
            raise FrameError(
                complaint(
                    "file name does not fit the pattern, and the file does not say what it is",
                    where=name,
                    expected=f"pattern {self._config.pattern!r}",
                    got=trouble,
                    do="correct `pattern` of the source, or rename the file",
                )
            )
        return read_frame(statements, self._settings, name)


def _missing_library(path: Path) -> str | None:
    """Return the complaint about a maker's format that nothing installed reads; None for others."""
    try:
        if is_vendor_name(path.name):
            refuse_without_library(path)
    except FrameError as error:
        return str(error)
    return None


def _reading(contents: Contents, found: list[Found], missing: tuple[Missing, ...]) -> FileReading:
    return FileReading(
        found=tuple(found),
        unfinished=contents.unfinished,
        cut_off=contents.cut_off,
        missing=missing,
    )


def given_up_mark(fingerprint: str) -> str:
    """Return the fingerprint under which a file that never got whole is handed on."""
    return fingerprint + _GIVEN_UP


def says_what_it_is(statements: Iterable[Statement]) -> bool:
    """Tell whether a name fits, or metadata says more than scale and time."""
    return any(
        each.origin is Origin.NAME
        or any(part is not None for part in (*each.facts.place, each.facts.well, each.facts.site))
        for each in statements
    )


def refuse_name(found: Found) -> Found:
    """Return the refusal of a file whose name is no text."""
    name = found.locator.encode("utf-8", "backslashreplace").decode("utf-8")
    reason = complaint("file name is not valid text", where=name, do="rename the file")
    return Found(locator=name, fingerprint=found.fingerprint, reason=reason)
