"""Turns images of NDTiff data sets into frames: their keys, their locators, their pixels.

The run of a frame: a data set that `path` of the source names is the configured run. In a
folder, so is the data set with its name (`<name>`, or `<name>_1` as acquisition software numbers
it). Any other data set is a run of its own, named by its path below the source: acquired
again, a data set gets a new number, and one of the same name in another folder is another run;
their frames are new frames, not repeats. The name depends only on the path, so it is the same after
a restart and whatever else is deleted; except that a data set acquired again in the same folder is
named `<run> (2)`, which the ledger remembers.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from scopewatch.config import NDTiffSourceConfig, RunConfig
from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.tickets import FrameTicket
from scopewatch.sources.base.away import blame_share
from scopewatch.sources.base.facts import Origin, PlaneFacts, Statement
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.reading import FrameReading, read_frame, reading_settings
from scopewatch.sources.ndtiff.axes import image_statements, refuse_axes
from scopewatch.sources.ndtiff.file import Image, read_image_facts, read_pixels
from scopewatch.sources.ndtiff.header import Head, read_head
from scopewatch.sources.ndtiff.index import PIXEL_BYTES, Block, safe_name
from scopewatch.sources.ndtiff.pyramid import FULL_RESOLUTION
from scopewatch.sources.ndtiff.sighting import Sighting
from scopewatch.sources.readers.planes import ReadLimits

_PIXEL_BYTES = frozenset(PIXEL_BYTES.values())
_LOCATOR = re.compile(r"(?s)(?P<path>.+)#at=(?P<place>\[\d+(?:,\d+){5}\])")


def run_name(run: str, place: str) -> str:
    """Return the name of the run of a data set by its path below the source.

    >>> run_name("HES7", "HES7_1"), run_name("HES7", "HES7_2"), run_name("HES7", "test_1")
    ('HES7', 'HES7_2', 'HES7 test_1')
    >>> run_name("HES7", "2026-03-02/HES7_1"), run_name("HES7", "2026-03-02/test_1")
    ('HES7 2026-03-02', 'HES7 2026-03-02 test_1')
    """
    *above, folder = PurePosixPath(place).parts or ("",)
    plain, folded = run.casefold(), folder.casefold()
    if folded in ("", plain, f"{plain}_1"):
        return " ".join((run, *above))
    if folded.startswith(plain) and not above:
        return folder
    return " ".join((run, *above, folder))


class NDTiffFrames:
    """Names and reads the images of the data sets under one path.

    Parameters
    ----------
    runs
        Returns the name of the run for the path of a data set below the source's; None for a data
        set that is not followed.

    Raises
    ------
    ConfigError
        When the position pattern is invalid.
    """

    def __init__(
        self,
        config: NDTiffSourceConfig,
        run: RunConfig,
        limits: ReadLimits,
        runs: Callable[[str], str | None] | None,
    ) -> None:
        self._config = config
        self._run = run
        self._limits = limits
        self._runs = runs or (lambda place: run_name(run.name, place))
        self._settings = reading_settings(config, run)

    def run_of(self, label: str) -> str | None:
        """Return the run of the data set with a label; None to ignore it.

        The label is the path of its files; the full resolution represents a whole pyramid.
        """
        place = label.removesuffix(FULL_RESOLUTION).rstrip("/")
        return self._runs(place) if place else self._run.name

    def found(self, label: str, sighting: Sighting, number: int = 1) -> Found:
        """Return an image of the data set `label` with its key, or the reason why it has none.

        `number` is that of the acquisition among those in the same place.
        """
        prefix = f"{label}/" if label else ""
        image = sighting.image
        if image is None:
            return Found(
                locator=f"{prefix}{sighting.name}#{json.dumps(sighting.axes, sort_keys=True)}",
                fingerprint="missing",
                reason=sighting.reason,
            )
        locator = prefix + write_locator(image.block)
        if sighting.reason:
            return Found(locator=locator, fingerprint=image.fingerprint, reason=sighting.reason)
        try:
            reading = self._read(label, sighting, image.tags, number)
        except FrameError as error:
            return Found(locator=locator, fingerprint=image.fingerprint, reason=str(error))
        return Found(
            locator=locator, fingerprint=image.fingerprint, key=reading.key, reading=reading
        )

    def load(self, ticket: FrameTicket) -> Frame:
        """Read the pixels of an image.

        Raises
        ------
        FrameError
            When its pixels are gone, truncated, or not those that were offered.
        SourceError
            When the share or disk does not answer.
        """
        path, block, image, head = self._open(ticket.locator, ticket.fingerprint)
        with self._blaming(path):
            pixels = read_pixels(path, block, self._limits)
        axes = image.tags.get("Axes")
        if not isinstance(axes, dict):
            axes = {"time": ticket.key.time_point}  # the axes are in the index alone
        statements = image_statements(axes, image.tags, head.summary)
        reading = read_frame(statements, self._settings, ticket.locator)
        return Frame(
            key=ticket.key,
            pixels=pixels,
            pixel_size_um=reading.pixel_size_um,
            acquired_at=reading.acquired_at,
            elapsed_s=reading.elapsed_s,
        )

    def tags(self, locator: str, fingerprint: str) -> Mapping[str, Any]:
        """Read the tags of an image.

        Raises
        ------
        FrameError
            When it is gone, or not the one that was found.
        SourceError
            When the share or disk does not answer.
        """
        return self._open(locator, fingerprint)[2].tags

    def _open(self, locator: str, fingerprint: str) -> tuple[Path, Block, Image, Head]:
        """Return where an image is, and what is written about it."""
        folder, block = self._find(locator)
        path = folder / block.file
        with self._blaming(path):
            size = path.stat().st_size
            with path.open("rb") as file:
                head = read_head(file, path, self._limits)
                image = read_image_facts(file, block, size, self._limits)
        if head is None or image is None or image.fingerprint != fingerprint:
            raise FrameError(
                complaint(
                    "image of the data set is not the one that was found",
                    where=f"{path} at {block.start}",
                    do="do not write into data sets that are being followed",
                )
            )
        return path, block, image, head

    @contextmanager
    def _blaming(self, path: Path) -> Iterator[None]:
        """Raise what a file cannot do as FrameError, or as SourceError where its share is away."""
        try:
            yield
        except OSError as error:
            blame_share(error, self._config.path)
            raise FrameError(
                complaint(
                    "data set cannot be read",
                    where=path,
                    got=error.strerror or str(error),
                    do="check that it exists, its permissions, and the share",
                )
            ) from error

    def _read(
        self, label: str, sighting: Sighting, tags: dict[str, Any], number: int
    ) -> FrameReading:
        axes = sighting.axes
        where = f"{label or self._config.path.name} {json.dumps(axes)}"
        refuse_axes(axes, where)
        run = self.run_of(label) or self._run.name
        if number > 1:
            run = f"{run} ({number})"
        by_place = Statement(
            origin=Origin.SET, by="folder of the data set", facts=PlaneFacts(run=run)
        )
        statements = image_statements(axes, tags, sighting.summary)
        return read_frame((*statements, by_place), self._settings, where)

    def _find(self, locator: str) -> tuple[Path, Block]:
        """Return the folder and the place in a locator."""
        match = _LOCATOR.fullmatch(locator)
        parts = PurePosixPath(match["path"]).parts if match is not None else ()
        numbers = json.loads(match["place"]) if match is not None else []
        if not numbers or not all(map(safe_name, parts)) or numbers[3] not in _PIXEL_BYTES:
            raise FrameError(
                complaint("locator names no image", where=locator, do="scan the data set again")
            )
        block = Block(
            file=parts[-1],
            start=numbers[0],
            width=numbers[1],
            height=numbers[2],
            pixel_bytes=numbers[3],
            text_start=numbers[4],
            text_size=numbers[5],
        )
        return self._config.path.joinpath(*parts[:-1]), block


def write_locator(block: Block) -> str:
    """Return a locator that finds an image without the index."""
    place = [
        *(block.start, block.width, block.height, block.pixel_bytes),
        *(block.text_start, block.text_size),
    ]
    return f"{block.file}#at={json.dumps(place, separators=(',', ':'))}"
