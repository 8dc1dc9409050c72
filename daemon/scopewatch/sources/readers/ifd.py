"""The directories of a TIFF file, walked within bounds and while the file still grows.

Libraries expect a finished file. Micro-Manager preallocates 4 GB and fills it, other writers
append; so the chain of directories is walked here, with every offset checked against the size
of the file, loops noticed, and nothing allocated on the word of the file. Pixels of ordinary
files are then decoded by libraries (`tiff.py`).

Classic and BigTIFF, both byte orders. TIFF 6.0 specification, section 2.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from scopewatch.core.errors import FrameError, complaint

_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_TYPE_BYTES |= {13: 4, 16: 8, 17: 8, 18: 8}
_INTEGER_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_MAX_TAGS = 1024
_MAX_STRIPS = 1_000_000
# Of a whole file: tables beyond it are a trap, since each page may point to the same ones.
_MAX_STRIPS_IN_ALL = 4_000_000

SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
DESCRIPTION, STRIP_OFFSETS, SAMPLES, STRIP_BYTES = 270, 273, 277, 279
X_RESOLUTION, PLANAR, RESOLUTION_UNIT, DATE_TIME, PREDICTOR = 282, 284, 296, 306, 317
TILE_OFFSETS, TILE_BYTES, SAMPLE_FORMAT, MM_METADATA = 324, 325, 339, 51123
TILE_WIDTH, TILE_LENGTH, IMAGE_DEPTH, TILE_DEPTH = 322, 323, 32997, 32998
EXIF = 34665
_NUMBERS = (
    *(SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, PLANAR, RESOLUTION_UNIT),
    *(EXIF, PREDICTOR, SAMPLE_FORMAT, TILE_WIDTH, TILE_LENGTH, IMAGE_DEPTH, TILE_DEPTH),
)
_TEXTS = (DESCRIPTION, DATE_TIME, X_RESOLUTION, MM_METADATA)
# Others are not kept: a directory may hold a thousand, and a file a hundred thousand of those.
_KEPT = frozenset({*_NUMBERS, *_TEXTS, STRIP_OFFSETS, STRIP_BYTES, TILE_OFFSETS, TILE_BYTES})


class UnfinishedError(Exception):
    """A directory is not there yet, in a few words; whether it ever will be is not known here."""


class CutOffError(UnfinishedError):
    """The file ends before what it declares: it is being appended to, or was cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """Where the value of a tag lies; `start` and `size` in bytes."""

    kind: int
    count: int
    start: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Byte order and word sizes of a file."""

    order: str
    big: bool
    first: int


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
        How many strips or tiles there are.
    first, last
        (offset, bytes) of the first and the last of them.
    end_of_pixels
        Offset behind the last byte of pixels.
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

    def number(self, tag: int, default: int) -> int:
        """Return the (first) value of an integer tag."""
        return self.numbers.get(tag, default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The directories found, and why the walk stopped; None at the regular end.

    `cut` is true where it stopped because the file ends too early.
    """

    layout: Layout
    directories: tuple[Directory, ...]
    stopped: str | None
    cut: bool


def read_layout(file: BinaryIO, where: object) -> Layout:
    """Read the header of a TIFF.

    Raises
    ------
    FrameError
        When the file is empty or no TIFF.
    """
    file.seek(0)
    head = file.read(16)
    if not head:
        raise FrameError(
            complaint("image file is empty", where=where, got="0 bytes", do="export it again")
        )
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    magic = struct.unpack(f"{order}H", head[2:4])[0] if order and len(head) >= 8 else 0
    if magic == 42:
        return Layout(order=order or "<", big=False, first=struct.unpack(f"{order}I", head[4:8])[0])
    if magic == 43 and len(head) == 16:
        return Layout(order=order or "<", big=True, first=struct.unpack(f"{order}Q", head[8:])[0])
    raise FrameError(
        complaint(
            "file is no TIFF",
            where=where,
            expected="a TIFF header",
            got=repr(head[:8])[1:],
            do="export it again, or give it its proper suffix",
        )
    )


def walk_directories(file: BinaryIO, size: int, where: object, max_planes: int) -> Chain:
    """Follow the chain of directories as far as it goes.

    Raises
    ------
    FrameError
        When the file is no TIFF, its chain loops, its directories take up more than the whole
        file (so that they overlap), or it has more than `max_planes` pages.
    """
    layout = read_layout(file, where)
    directories: list[Directory] = []
    seen: set[int] = set()
    offset, stopped, cut = layout.first, None, False
    spent, strips = 0, 0
    if offset == 0:
        stopped = "its first directory is not written yet"
    while offset:
        if offset in seen:
            raise FrameError(
                complaint(
                    "TIFF directories form a loop",
                    where=where,
                    got=f"page {len(directories)} leads back",
                    do="export it again",
                )
            )
        if len(directories) >= max_planes:
            raise FrameError(
                complaint(
                    "TIFF has too many pages",
                    where=where,
                    expected=f"at most {max_planes}",
                    do="split the file",
                )
            )
        seen.add(offset)
        try:
            directory = read_directory(file, layout, offset, size)
        except UnfinishedError as why:
            stopped, cut = str(why), isinstance(why, CutOffError)
            break
        directories.append(directory)
        spent, strips = spent + directory.spent, strips + directory.strips
        if spent > size or strips > _MAX_STRIPS_IN_ALL:
            raise FrameError(
                complaint(
                    "TIFF directories overlap" if spent > size else "TIFF has too many strips",
                    where=where,
                    expected=f"at most {size} bytes, {_MAX_STRIPS_IN_ALL} strips",
                    got=f"{spent} bytes, {strips} strips",
                    do="export it again",
                )
            )
        offset = directory.following
    return Chain(layout=layout, directories=tuple(directories), stopped=stopped, cut=cut)


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
    tags: dict[int, Tag] = {}
    spent = count_bytes + len(block)
    inline = 8 if layout.big else 4
    for index in range(count):
        at = index * entry
        code, kind, values = struct.unpack_from(f"{order}HH{link_code}", block, at)
        if code == 0:
            raise UnfinishedError("a directory is half written")
        length = _TYPE_BYTES.get(kind, 1) * values
        value_at = at + 4 + link_bytes
        start = offset + count_bytes + value_at
        if length > inline:
            (start,) = struct.unpack_from(f"{order}{link_code}", block, value_at)
            if start + length > size:
                raise CutOffError(f"tag {code} lies beyond the end of the file")
        if code in _KEPT and code not in tags:
            tags[code] = Tag(kind=kind, count=values, start=start, size=length)
            spent += length if length > inline else 0
    (following,) = struct.unpack_from(f"{order}{link_code}", block, count * entry)
    return _complete(file, layout, (offset, following, spent), tags)


def read_bytes(file: BinaryIO, tag: Tag | None, limit: int) -> bytes:
    """Return the raw value of a tag; empty where there is none or it is over the limit."""
    if tag is None or tag.size > limit:
        return b""
    file.seek(tag.start)
    return file.read(tag.size)


def read_integers(file: BinaryIO, layout: Layout, tag: Tag | None) -> tuple[int, ...]:
    """Return the values of an integer tag; empty where there is none."""
    code = _INTEGER_CODES.get(tag.kind) if tag is not None else None
    if tag is None or code is None or tag.count > _MAX_STRIPS:
        return ()
    raw = read_bytes(file, tag, _MAX_STRIPS * 8)
    if len(raw) != tag.size:
        return ()
    return struct.unpack(f"{layout.order}{tag.count}{code}", raw)


def _complete(
    file: BinaryIO, layout: Layout, place: tuple[int, int, int], tags: dict[int, Tag]
) -> Directory:
    start, following, spent = place
    numbers = {}
    for code in _NUMBERS:
        if values := read_integers(file, layout, tags.get(code)):
            numbers[code] = values[0]
    tiled = TILE_OFFSETS in tags
    offsets = read_integers(file, layout, tags.get(TILE_OFFSETS if tiled else STRIP_OFFSETS))
    lengths = read_integers(file, layout, tags.get(TILE_BYTES if tiled else STRIP_BYTES))
    if not offsets or len(offsets) != len(lengths):
        raise UnfinishedError("a directory does not say where its pixels are")
    # The tables themselves are not kept: a stack of long ones would fill the memory.
    return Directory(
        start=start,
        following=following,
        spent=spent,
        tags=tags,
        numbers=numbers,
        strips=len(offsets),
        first=(offsets[0], lengths[0]),
        last=(offsets[-1], lengths[-1]),
        end_of_pixels=max(map(sum, zip(offsets, lengths, strict=True))),
    )
