"""From image files in a folder to frames: what they are called, what they hold, their pixels.

Metadata wins over names where both say something. A position label that does not fit the
position pattern names a well only where the file name names none.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from scopewatch.config import ExperimentConfig, FolderSourceConfig
from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.frame import Frame, FrameKey, FrameTicket
from scopewatch.sources.base.address import Address, PositionPattern, refuse_other_planes
from scopewatch.sources.base.offering import Found
from scopewatch.sources.layouts.copies import refuse_copy
from scopewatch.sources.layouts.naming import NamePattern
from scopewatch.sources.readers.image_file import list_planes, read_plane
from scopewatch.sources.readers.planes import DEFAULT_LIMITS, PlaneFacts, ReadLimits
from scopewatch.sources.readers.series import SeriesFiles

log = logging.getLogger(__name__)

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
    """

    found: tuple[Found, ...]
    unfinished: str | None = None
    cut_off: bool = False


class FolderFrames:
    """Reads the files under one folder; used by the source's thread and the worker's.

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
    ) -> None:
        self._config = config
        self._experiment = experiment
        self._limits = limits
        self._position = PositionPattern(config.position)
        self._names = NamePattern(config.pattern, self._position, experiment)
        self._series = SeriesFiles(limits)

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
            When the file is not whole, or damaged.
        """
        path = self._path(locator)
        contents = list_planes(path, self._limits)
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
            reason = complaint(
                "image file has several pages and does not say what they are",
                where=locator,
                got=f"{len(contents.planes)} pages",
                do="export OME-TIFF, or one file for each frame",
            )
            return FileReading(
                found=(Found(locator=locator, fingerprint=fingerprint, reason=reason),)
            )
        beside = self._series.of(path)
        found = []
        for plane in contents.planes:
            place = locator if plane.page == 0 else f"{locator}#page={plane.page}"
            mark = fingerprint if alone else plane.fingerprint
            if alone:
                read_plane(path, plane.page, self._limits)
            elif pending(place, mark):
                self._try(path, plane.page)
            found.append(self._found(locator, place, mark, beside.over(plane.facts)))
        return FileReading(
            found=tuple(found), unfinished=contents.unfinished, cut_off=contents.cut_off
        )

    def give_up(self, locator: str, fingerprint: str) -> Found:
        """Return what to do with a file that never got whole: let the worker say why."""
        try:
            return self._found(locator, locator, fingerprint, self._series.of(self._path(locator)))
        except FrameError as error:
            return Found(locator=locator, fingerprint=fingerprint, reason=str(error))

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
        """
        match = _LOCATOR.fullmatch(ticket.locator)
        locator = match["path"] if match is not None else ticket.locator
        page = int(match["page"] or 0) if match is not None else 0
        path = self._path(locator)
        plane = read_plane(path, page, self._limits)
        facts = self._series.of(path).over(plane.facts)
        if facts.acquired_at is None:
            reading = self._names.read(locator)
            facts = replace(facts, acquired_at=reading.acquired_at if reading else None)
        return Frame(
            key=ticket.key,
            pixels=plane.pixels,
            pixel_size_um=(
                self._config.um_per_px if facts.pixel_size_um is None else facts.pixel_size_um
            ),
            acquired_at=facts.acquired_at,
        )

    def _try(self, path: Path, page: int) -> None:
        try:
            read_plane(path, page, self._limits)
        except FrameError as error:
            log.info(
                "page does not decode",
                extra={"event": {"path": str(path), "page": page, "reason": str(error)}},
            )

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

    def _found(self, name: str, locator: str, fingerprint: str, facts: PlaneFacts) -> Found:
        """Give a plane its key, or the reason why it has none."""
        try:
            key = self._key(name, facts)
        except FrameError as error:
            return Found(locator=locator, fingerprint=fingerprint, reason=str(error))
        return Found(locator=locator, fingerprint=fingerprint, key=key)

    def _key(self, name: str, facts: PlaneFacts) -> FrameKey:
        refuse_copy(name, self._names, says_what_it_is=facts.place != PlaneFacts().place)
        reading = self._names.read(name)
        by_name = reading.address if reading is not None else Address()
        label = self._position.match(facts.position)
        if label is None:
            label = Address() if by_name.well is not None else self._position.read(facts.position)
        told = Address(time_point=facts.time_point, channel=facts.channel, z=facts.z).over(label)
        if reading is None and told == Address():
            raise FrameError(
                complaint(
                    "file name does not fit the pattern, and the file does not say what it is",
                    where=name,
                    expected=f"pattern {self._config.pattern!r}",
                    do="correct `pattern` of the source, or rename the file",
                )
            )
        address = told.over(by_name)
        refuse_other_planes(address.z, self._config.z, name)
        return address.key(self._experiment)


def refuse_name(found: Found) -> Found:
    """Return the refusal of a file whose name is no text."""
    name = found.locator.encode("utf-8", "backslashreplace").decode("utf-8")
    reason = complaint("file name is not valid text", where=name, do="rename the file")
    return Found(locator=name, fingerprint=found.fingerprint, reason=reason)
