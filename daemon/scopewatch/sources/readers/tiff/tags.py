"""Values of the tags of a TIFF directory."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from scopewatch.sources.readers.tiff.header import Layout

INTEGER_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_MAX_STRIPS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """Place of the value of a tag; `start` and `size` in bytes."""

    kind: int
    count: int
    start: int
    size: int


def read_bytes(file: BinaryIO, tag: Tag | None, limit: int) -> bytes:
    """Return the raw value of a tag; empty where there is none or it is over the limit."""
    if tag is None or tag.size > limit:
        return b""
    file.seek(tag.start)
    return file.read(tag.size)


def read_integers(file: BinaryIO, layout: Layout, tag: Tag | None) -> tuple[int, ...]:
    """Return the values of an integer tag; empty where there is none."""
    code = INTEGER_CODES.get(tag.kind) if tag is not None else None
    if tag is None or code is None or tag.count > _MAX_STRIPS:
        return ()
    raw = read_bytes(file, tag, _MAX_STRIPS * 8)
    if len(raw) != tag.size:
        return ()
    return struct.unpack(f"{layout.order}{tag.count}{code}", raw)
