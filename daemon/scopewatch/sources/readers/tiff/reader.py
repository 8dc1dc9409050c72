"""Reads TIFF files of all microscope kinds: their planes, also while they grow, and pixels.

`chain` follows the directories within bounds; `pages` finds the planes, `facts` their statements,
`pixels` their pixels.
"""

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.readers.memory import FileMemory
from scopewatch.sources.readers.planes import Contents, Plane, PlaneEntry, ReadLimits
from scopewatch.sources.readers.tiff import ifd
from scopewatch.sources.readers.tiff.blanks import holds_zeros_only, not_written_yet
from scopewatch.sources.readers.tiff.chain import Chain, walk_directories
from scopewatch.sources.readers.tiff.facts import FileFacts
from scopewatch.sources.readers.tiff.ifd import Directory
from scopewatch.sources.readers.tiff.pages import is_plain, pages_of
from scopewatch.sources.readers.tiff.pixels import decode_page, read_plain
from scopewatch.sources.readers.tiff.tags import read_bytes

_SAMPLE_BYTES = 4096
_SAMPLES = 2
_TAG_BYTES = 65_536


def inspect_tiff(path: Path, limits: ReadLimits, memory: FileMemory) -> Contents:
    """List the complete planes of a TIFF, without decoding them.

    A plane counts as complete when its pixels lie within the file and Micro-Manager's metadata,
    which its writers put after the pixels, parse. In a file whose chain of directories is still
    open, a last plane without such metadata waits for the next one.

    Parameters
    ----------
    memory
        Planes in this cache are not read again while the file only grows.

    Raises
    ------
    FrameError
        When the file is no TIFF, its directories loop, or its metadata is damaged.
    OSError
        When it cannot be read.
    """
    state = path.stat()
    with path.open("rb") as file:
        chain = walk_directories(file, state.st_size, path, limits.max_planes)
        facts = FileFacts(file, chain, path, limits, memory.documents)
        look = _Look(file, path, chain, facts, state.st_size)
        stamp = (state.st_ino, chain.layout, look.begin, *facts.stamp)
        return look.contents(stamp, memory.known(path, stamp))


def read_tiff(path: Path, page: int, limits: ReadLimits, memory: FileMemory) -> Plane:
    """Read one plane of a TIFF.

    Raises
    ------
    FrameError
        When it is missing, incomplete, too large, or not grey of 8 or 16 bits.
    OSError
        When the file cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        chain = walk_directories(file, size, path, limits.max_planes)
        facts = FileFacts(file, chain, path, limits, memory.documents)
        pages = pages_of(chain, facts.declared, size)
        if page >= pages.count:
            raise _unfinished(path, page, pages.stopped or f"only {pages.count} pages")
        directory = pages.directory(page)
        if directory.end_of_pixels > size:
            raise _unfinished(path, page, "its pixels are cut off")
        decode = read_plain if pages.hidden and page else decode_page
        pixels = decode(path, file, chain.layout, directory, page, limits)
        return Plane(pixels=pixels, statements=facts.of(page, directory))


class _Look:
    """One pass over the planes of an open file."""

    def __init__(
        self, file: BinaryIO, path: Path, chain: Chain, facts: FileFacts, size: int
    ) -> None:
        self._file, self._path, self._facts, self._size = file, path, facts, size
        self._pages = pages_of(chain, facts.declared, size)
        # In a series that is declared before it is written, the last page may be complete.
        self._open_end = bool(chain.stopped) and not facts.declared.grows

    @property
    def begin(self) -> int:
        """Offset of the first pixels; 0 where there are none."""
        return self._pages.directory(0).first[0] if self._pages.count else 0

    def contents(self, stamp: object, known: Mapping[int, PlaneEntry]) -> Contents:
        """List the planes; those in `known` are not read again."""
        pages = self._pages
        stopped, cut = pages.stopped, pages.cut
        known = known if self._still_hold(known) else {}
        planes: list[PlaneEntry] = []
        blank: list[bool] = []
        for page in range(pages.count):
            if page in known:
                planes.append(known[page])
                blank.append(False)
                continue
            directory = pages.directory(page)
            if directory.number(ifd.SUBFILE, 0) & 1:
                continue  # a reduced image: a thumbnail, or a level of a pyramid
            why = self._why_unfinished(directory, last=page == pages.count - 1)
            if why is not None:
                stopped, cut = f"{why} (page {page})", directory.end_of_pixels > self._size
                break
            entry, zeros = self._entry(page, directory)
            planes.append(entry)
            blank.append(zeros)
        axes_known = len({_identity(plane.facts) for plane in planes}) == len(planes)
        awaited = self._awaited(planes, blank) if axes_known else set()
        if awaited and not cut:
            stopped = f"{len(awaited)} of {len(planes)} planes are not written yet"
        return Contents(
            planes=tuple(plane for number, plane in enumerate(planes) if number not in awaited),
            unfinished=stopped,
            cut_off=cut,
            declared=self._facts.declared.planes,
            awaited=len(awaited),
            axes_known=axes_known,
            trouble=self._facts.trouble,
            stamp=stamp,
        )

    def _still_hold(self, known: Mapping[int, PlaneEntry]) -> bool:
        """Return whether the first and the last of some planes are unchanged."""
        return bool(known) and all(
            page < self._pages.count
            and _sample(self._file, self._pages.directory(page))[0] == known[page].fingerprint
            for page in {min(known), max(known)}
        )

    def _entry(self, page: int, directory: Directory) -> tuple[PlaneEntry, bool]:
        """Return a plane, and whether it may hold nothing yet."""
        fingerprint, zeros = _sample(self._file, directory)
        plain = is_plain(directory)
        entry = PlaneEntry(
            page=page,
            fingerprint=fingerprint,
            statements=self._facts.of(page, directory),
            size_px=(directory.number(ifd.HEIGHT, 0), directory.number(ifd.WIDTH, 0)),
            bare=plain and zeros > 0,
        )
        return entry, plain and zeros == _SAMPLES

    def _why_unfinished(self, directory: Directory, *, last: bool) -> str | None:
        if directory.end_of_pixels > self._size:
            return "its pixels are cut off"
        if ifd.MM_METADATA in directory.tags:
            written = self._facts.tags(directory) is not None
            return None if written else "its metadata is not written yet"
        return "the next page is not written yet" if last and self._open_end else None

    def _awaited(self, planes: list[PlaneEntry], blank: list[bool]) -> set[int]:
        """Return the planes of a declared series that are not written yet."""
        if self._facts.declared.planes <= 1:
            return set()

        def is_empty(number: int) -> bool:
            return holds_zeros_only(self._path, self._pages.directory(planes[number].page))

        return not_written_yet(planes, blank, is_empty)


def _identity(facts: PlaneFacts) -> tuple[object, ...]:
    return (*facts.place, facts.channel_code, facts.plate, facts.well, facts.site)


def _sample(file: BinaryIO, directory: Directory) -> tuple[str, int]:
    """Return a fingerprint from samples of a plane: stacks are too large to be read whole.

    Returns
    -------
    The fingerprint, and how many of the samples hold zeros only.
    """
    checksum = zlib.crc32(read_bytes(file, directory.tags.get(ifd.MM_METADATA), _TAG_BYTES))
    first, last = directory.first, directory.last
    zeros = 0
    at_end = min(last[1], _SAMPLE_BYTES)
    for start, length in (first, (sum(last) - at_end, at_end)):
        file.seek(start)
        sample = file.read(min(length, _SAMPLE_BYTES))
        checksum = zlib.crc32(sample, checksum)
        zeros += not sample.strip(b"\0")
    return f"{first[0]}:{checksum:08x}", zeros


def _unfinished(path: Path, page: int, why: str) -> FrameError:
    return FrameError(
        complaint(
            "image file is cut off",
            where=f"{path} page {page}",
            got=why,
            do="check that the writer finished, and write it again",
        )
    )
