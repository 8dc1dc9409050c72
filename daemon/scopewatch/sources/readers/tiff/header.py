"""Header of a TIFF file: byte order, word sizes, place of the first directory."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.readers.planes import EmptyFileError


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Byte order and word sizes of a file."""

    order: str
    big: bool
    first: int


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
        raise EmptyFileError(where)
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
