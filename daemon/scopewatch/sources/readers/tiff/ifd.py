"""Reads the directories of a TIFF file within bounds and while the file still grows.

Libraries expect a finished file. Micro-Manager preallocates 4 GB and fills it, other writers
append; so directories are read here, with every offset checked against the size of the file, and no
declared size is allocated unchecked. `chain` follows them; libraries then decode the pixels of
ordinary files (`pixels`).

Classic and BigTIFF, both byte orders. TIFF 6.0 specification, section 2.
"""

import struct
from dataclasses import dataclass, replace
from typing import BinaryIO

from scopewatch.sources.readers.tiff.header import Layout
from scopewatch.sources.readers.tiff.tags import (
    INTEGER_CODES,
    Tag,
    read_integers,
)

_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_TYPE_BYTES |= {13: 4, 16: 8, 17: 8, 18: 8}
_MAX_TAGS = 1024

SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
FILL_ORDER, DESCRIPTION, STRIP_OFFSETS, SAMPLES, STRIP_BYTES = 266, 270, 273, 277, 279
ROWS_PER_STRIP = 278
X_RESOLUTION, PLANAR, RESOLUTION_UNIT, DATE_TIME, PREDICTOR = 282, 284, 296, 306, 317
TILE_OFFSETS, TILE_BYTES, SAMPLE_FORMAT, MM_METADATA = 324, 325, 339, 51123
TILE_WIDTH, TILE_LENGTH, IMAGE_DEPTH, TILE_DEPTH = 322, 323, 32997, 32998
EXIF = 34665
_NUMBERS = (
    *(SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, PLANAR, RESOLUTION_UNIT),
    *(PREDICTOR, SAMPLE_FORMAT, TILE_WIDTH, TILE_LENGTH, IMAGE_DEPTH, TILE_DEPTH),
    *(FILL_ORDER, EXIF, ROWS_PER_STRIP),
)
_TEXTS = (DESCRIPTION, DATE_TIME, X_RESOLUTION, MM_METADATA)
# Other tags are not kept: a directory may hold a thousand, and a file a hundred thousand of those.
_KEPT = frozenset({*_NUMBERS, *_TEXTS, STRIP_OFFSETS, STRIP_BYTES, TILE_OFFSETS, TILE_BYTES})


class UnfinishedError(Exception):
    """A directory is not there yet, in a few words; whether it ever will be is not known here."""


class CutOffError(UnfinishedError):
    """The file ends before its declared end: it is being appended to, or was truncated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """One page of a TIFF.

    Parameters
    ----------
    start
        Offset of the directory.
    following
        Offset of the next directory; 0 after the last.
    spent
        Bytes of the file that the directory and the texts it points to take up.
    strips
        Number of strips or tiles.
    first, last
        (offset, bytes) of the first and the last of them.
    end_of_pixels
        Offset after the last byte of pixels.
    bytes_of_pixels
        Bytes of all strips or tiles together.
    in_a_row
        Whether each strip begins where the one before it ends.
    fence
        Offset of the nearest known item after the pixels: the directory itself, a value of a tag,
        the next directory; 0 where none is known.
    """

    start: int
    following: int
    spent: int
    tags: dict[int, Tag]
    numbers: dict[int, int]
    strips: int
    first: tuple[int, int]
    last: tuple[int, int]
    end_of_pixels: int
    bytes_of_pixels: int
    in_a_row: bool
    fence: int

    def moved(self, by: int) -> "Directory":
        """Return the directory of a similar plane whose pixels are further back in the file."""
        return replace(
            self,
            first=(self.first[0] + by, self.first[1]),
            last=(self.last[0] + by, self.last[1]),
            end_of_pixels=self.end_of_pixels + by,
        )

    def number(self, tag: int, default: int) -> int:
        """Return the (first) value of an integer tag."""
        return self.numbers.get(tag, default)


def read_directory(file: BinaryIO, layout: Layout, offset: int, size: int) -> Directory:
    """Read one directory of a file of `size` bytes.

    Raises
    ------
    UnfinishedError
        When the directory, or what it points to, is not there (yet).
    """
    order, entry = layout.order, 20 if layout.big else 12
    count_code, link_code = ("Q", "Q") if layout.big else ("H", "I")
    count_bytes = struct.calcsize(f"{order}{count_code}")
    link_bytes = struct.calcsize(f"{order}{link_code}")
    if offset + count_bytes > size:
        raise CutOffError("a directory lies beyond the end of the file")
    file.seek(offset)
    head = file.read(count_bytes)
    if len(head) < count_bytes:
        raise CutOffError("a directory lies beyond the end of the file")
    (count,) = struct.unpack(f"{order}{count_code}", head)
    if count == 0:
        raise UnfinishedError("a directory is not written yet")
    if count > _MAX_TAGS:
        raise UnfinishedError(f"a directory declares {count} tags")
    block = file.read(count * entry + link_bytes)
    if len(block) < count * entry + link_bytes:
        raise CutOffError("a directory is cut off")
    entries = _Entries(layout, offset + count_bytes, size)
    for index in range(count):
        entries.read(block, index * entry)
    (following,) = struct.unpack_from(f"{order}{link_code}", block, count * entry)
    place = _Place(
        start=offset,
        following=following,
        spent=count_bytes + len(block) + entries.spent,
        apart=[offset, *entries.apart, *([following] if following else [])],
    )
    return _complete(file, layout, place, entries)


class _Entries:
    """The entries of a directory: numbers within it, and places of other values.

    Attributes
    ----------
    spent
        Bytes of the values outside it.
    apart
        Places of those values, of all entries.
    """

    def __init__(self, layout: Layout, start: int, size: int) -> None:
        self._order, self._start, self._size = layout.order, start, size
        self._link, self._inline = ("Q", 8) if layout.big else ("I", 4)
        self.tags: dict[int, Tag] = {}
        self.numbers: dict[int, int] = {}
        self.spent = 0
        self.apart: list[int] = []

    def read(self, block: bytes, at: int) -> None:
        """Read the entry at an offset of the block of entries."""
        code, kind, values = struct.unpack_from(f"{self._order}HH{self._link}", block, at)
        if code == 0:
            raise UnfinishedError("a directory is half written")
        length = _TYPE_BYTES.get(kind, 1) * values
        value_at = at + 4 + struct.calcsize(f"{self._order}{self._link}")
        start, elsewhere = self._start + value_at, length > self._inline
        if elsewhere:
            (start,) = struct.unpack_from(f"{self._order}{self._link}", block, value_at)
            if start + length > self._size:
                raise CutOffError(f"tag {code} lies beyond the end of the file")
            self.apart.append(start)
        if code not in _KEPT or code in self.tags or code in self.numbers:
            return
        if elsewhere or code not in _NUMBERS:
            self.spent += length if elsewhere else 0
            self.tags[code] = Tag(kind=kind, count=values, start=start, size=length)
        elif values and kind in INTEGER_CODES:
            number = f"{self._order}{INTEGER_CODES[kind]}"
            (self.numbers[code],) = struct.unpack_from(number, block, value_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Place of a directory; `apart` are the offsets of its parts besides pixels."""

    start: int
    following: int
    spent: int
    apart: list[int]


def _complete(file: BinaryIO, layout: Layout, place: _Place, entries: _Entries) -> Directory:
    tags, numbers = entries.tags, entries.numbers
    for code in _NUMBERS:
        if code in tags and (values := read_integers(file, layout, tags.pop(code))):
            numbers[code] = values[0]
    tiled = TILE_OFFSETS in tags
    offsets = read_integers(file, layout, tags.get(TILE_OFFSETS if tiled else STRIP_OFFSETS))
    lengths = read_integers(file, layout, tags.get(TILE_BYTES if tiled else STRIP_BYTES))
    if not offsets or len(offsets) != len(lengths):
        raise UnfinishedError("a directory does not say where its pixels are")
    ends = list(map(sum, zip(offsets, lengths, strict=True)))
    end = max(ends)
    # The tables themselves are not kept: a stack of long ones would fill the memory.
    return Directory(
        start=place.start,
        following=place.following,
        spent=place.spent,
        tags=tags,
        numbers=numbers,
        strips=len(offsets),
        first=(offsets[0], lengths[0]),
        last=(offsets[-1], lengths[-1]),
        end_of_pixels=end,
        bytes_of_pixels=sum(lengths),
        in_a_row=ends[:-1] == list(offsets[1:]),
        fence=min((each for each in place.apart if each >= end), default=0),
    )


def read_strips(
    file: BinaryIO, layout: Layout, directory: Directory
) -> tuple[tuple[int, int], ...]:
    """Return (offset, bytes) of all strips or tiles of a directory."""
    tiled = TILE_OFFSETS in directory.tags
    tables = (TILE_OFFSETS, TILE_BYTES) if tiled else (STRIP_OFFSETS, STRIP_BYTES)
    offsets, lengths = (read_integers(file, layout, directory.tags.get(table)) for table in tables)
    return tuple(zip(offsets, lengths, strict=False))
