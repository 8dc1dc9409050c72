"""Reads image files in a folder: which frames they hold so far, and the pixels of a frame."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from scopewatch.config import FolderSourceConfig, RunConfig
from scopewatch.core.errors import FrameError
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.tickets import FrameTicket
from scopewatch.event_log import get_logger
from scopewatch.sources.base.away import Identity, blame_share, identify
from scopewatch.sources.base.facts import Statement
from scopewatch.sources.base.found import Found
from scopewatch.sources.folder.file_listing import FileListing
from scopewatch.sources.folder.file_reading import (
    GIVEN_UP,
    PLANE_GIVEN_UP,
    FileReading,
    changed_since,
    given_up_mark,
)
from scopewatch.sources.folder.walk import look_at
from scopewatch.sources.readers.content import content_of
from scopewatch.sources.readers.downloads import refuse_unfinished
from scopewatch.sources.readers.image_file import list_planes, read_plane
from scopewatch.sources.readers.planes import (
    DEFAULT_LIMITS,
    NotWrittenError,
    PlaneEntry,
    ReadLimits,
)
from scopewatch.sources.readers.vendors.kinds import is_vendor_name

log = get_logger(__name__)

_LOCATOR = re.compile(r"(?s)(?P<path>.+?)(?:#page=(?P<page>\d{1,9}))?")


class FolderFrames:
    """Reads the files under one folder; used by the thread of the source and by the worker's.

    Parameters
    ----------
    also
        Returns further statements about the file at a locator.

    Attributes
    ----------
    listing
        Lists the frames of a file without decoding pixels.

    Raises
    ------
    ConfigError
        When a pattern is invalid.
    """

    def __init__(
        self,
        config: FolderSourceConfig,
        run: RunConfig,
        limits: ReadLimits = DEFAULT_LIMITS,
        also: Callable[[str], tuple[Statement, ...]] = lambda _: (),
    ) -> None:
        self._config = config
        self._limits = limits
        self.listing = FileListing(config, run, limits, also)
        self._memory = self.listing.memory
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
        listed = self.listing.frames_in(locator, fingerprint)
        contents, path = listed.contents, self.listing.path(locator)
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
        return self.listing.frames_in(locator, fingerprint, patient=False).reading()

    def give_up(self, locator: str, fingerprint: str, why: FrameError) -> Found:
        """Return how to settle a file that was never complete: the worker reports why.

        This settles the present state of the file. Offered complete with the same fingerprint,
        after a program reset its time, it counts as changed.
        """
        mark = given_up_mark(fingerprint)
        try:
            if is_vendor_name(locator):  # raises the reason; its name gives one plane only
                self.listing.frames_in(locator, fingerprint)
            beside, missing = self.listing.beside(locator)
            self.listing.refuse_unnamed(missing, beside, locator, patient=False)
            found = self.listing.found(locator, locator, mark, beside)
        except FrameError as error:
            return Found(locator=locator, fingerprint=mark, reason=str(error))
        return found if found.key is not None else replace(found, reason=str(why))

    def load(self, ticket: FrameTicket) -> Frame:
        """Read the pixels of a single plane.

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
        path = self.listing.path(locator)
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
        reading = self.listing.read((*self.listing.beside(locator)[0], *plane.statements), locator)
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
