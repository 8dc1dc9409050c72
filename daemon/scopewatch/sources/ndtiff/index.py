"""Reads entries of `NDTiff.index`, as far as they are written.

Layout of an entry, little-endian: length and JSON of the axes, length and name of the TIFF
file, then eight 32-bit numbers: offset of the pixels, width, height, pixel type, compression,
offset and length of the metadata, its compression. NDTiff 3 specification,
https://github.com/micro-manager/NDTiffStorage
"""

import struct
from dataclasses import dataclass, field
from typing import Any

from scopewatch.sources.readers.micromanager_metadata import load_tags

# Bytes per pixel by pixel type: 8, 16, RGB (refused), 10, 12, 14 and 11 bits.
PIXEL_BYTES = {0: 1, 1: 2, 3: 2, 4: 2, 5: 2, 6: 2}
_RGB = 2
_LONGEST_TEXT = 65_536
_NUMBERS = struct.Struct("<8I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Place of one image of a data set.

    Parameters
    ----------
    file
        Name of the TIFF within the folder of the data set.
    start, size
        Offset and length of the pixels, in bytes.
    pixel_bytes
        Bytes per pixel: 1 or 2.
    text_start, text_size
        Offset and length of the metadata, in bytes.
    """

    file: str
    start: int
    width: int
    height: int
    pixel_bytes: int
    text_start: int
    text_size: int

    @property
    def size(self) -> int:
        """Length of the pixels in bytes."""
        return self.width * self.height * self.pixel_bytes

    @property
    def end(self) -> int:
        """Offset after the last byte of pixels and metadata."""
        return max(self.start + self.size, self.text_start + self.text_size)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """Entry of the index: axes and place of an image, or why it is no frame."""

    axes: dict[str, Any]
    file: str
    start: int
    block: Block | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPart:
    """Content of a piece of the index.

    Parameters
    ----------
    entries
        The complete entries.
    used
        Bytes they take; the rest is read again when more is written.
    damage
        Why nothing after them can be read; None while it can.
    """

    entries: tuple[IndexEntry, ...] = field(default=())
    used: int = 0
    damage: str | None = None


def parse_index(data: bytes) -> IndexPart:
    """Read complete entries from the start of a piece of the index."""
    entries: list[IndexEntry] = []
    used = 0
    damage = None
    while True:
        axes = _text(data, used)
        name = _text(data, axes[1]) if axes is not None else None
        if axes is None or name is None or name[1] + _NUMBERS.size > len(data):
            break
        if axes[0] is None or name[0] is None:
            damage = f"an entry at byte {used} has no plausible length"
            break
        if not axes[0]:
            break  # zeros: space that a writer has set aside and not filled yet
        entries.append(_entry(axes[0], name[0], _NUMBERS.unpack_from(data, name[1])))
        used = name[1] + _NUMBERS.size
    return IndexPart(entries=tuple(entries), used=used, damage=damage)


def safe_name(name: str) -> bool:
    """Return whether a file name from an index stays within its data set."""
    return bool(name) and name not in (".", "..") and not set(name) & set("/\\:\0")


def _text(data: bytes, at: int) -> tuple[bytes | None, int] | None:
    """Return a text and its end; None where it is incomplete, (None, ...) if absurd."""
    if at + 4 > len(data):
        return None
    (length,) = struct.unpack_from("<I", data, at)
    if length > _LONGEST_TEXT:
        return None, at
    end = at + 4 + length
    return (data[at + 4 : end], end) if end <= len(data) else None


def _entry(axes: bytes, name: bytes, numbers: tuple[int, ...]) -> IndexEntry:
    start, width, height, kind, packed, text_start, text_size, text_packed = numbers
    file = name.decode("utf-8", "replace")
    tags = load_tags(axes)
    reason = ""
    if tags is None:
        reason = "its axes are no JSON object"
    elif not safe_name(file):
        reason = f"its file name {file!r} leads out of the data set"
    elif packed or text_packed:
        reason = "it is compressed"
    elif kind == _RGB:
        reason = "it is in colour"
    elif kind not in PIXEL_BYTES:
        reason = f"its pixel type {kind} is unknown"
    block = None
    if not reason:
        block = Block(
            file=file,
            start=start,
            width=width,
            height=height,
            pixel_bytes=PIXEL_BYTES[kind],
            text_start=text_start,
            text_size=text_size,
        )
    return IndexEntry(axes=tags or {}, file=file, start=start, block=block, reason=reason)
