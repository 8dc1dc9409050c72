"""Checks a PNG before a decoder reads it: lengths and checksums of chunks, bit depth."""

import zlib
from pathlib import Path
from typing import BinaryIO, Final

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.readers.decode import wrong_type

_SIGNATURE_BYTES: Final = 8
_HEAD_BYTES: Final = 8
_CHECKSUM_BYTES: Final = 4
_MOST_CHUNKS: Final = 100_000
_NOTHING: Final = bytes(4)
_PIECE_BYTES: Final = 1 << 20
# After signature, head of IHDR, width and height: bit depth and colour type.
_DEPTH_AT: Final = 24
_COLOURS: Final = {2: "RGB", 4: "grey and alpha", 6: "RGB and alpha"}


def check_chunks(path: Path, *, checksums: bool = False) -> None:
    """Refuse a PNG that is incomplete, or has a chunk longer than the rest of the file.

    Pillow reads a chunk by its declared length, and Python then allocates that much memory at once:
    up to 4 GB for a file of some hundred bytes. A frame that is still being written is truncated in
    the same way, and is refused until it is complete.

    A program may also give a file its full size first and fill it later. Pillow decodes the present
    part of such a file, and leaves the rest black: it checks neither for the last chunk nor the
    checksums of pixels.

    Parameters
    ----------
    checksums
        Whether the content is checked too: this reads the whole file.

    Raises
    ------
    FrameError
        When a chunk reaches beyond the file, the last one is missing, there are more than any
        writer makes, or a checksum is wrong.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        place = _SIGNATURE_BYTES
        for _ in range(_MOST_CHUNKS):
            file.seek(place)
            head = file.read(_HEAD_BYTES)
            length = int.from_bytes(head[:4], "big")
            if len(head) < _HEAD_BYTES:
                raise _damaged(path, f"no end at {size} bytes")
            if length + _CHECKSUM_BYTES > size - place - _HEAD_BYTES:
                raise _damaged(path, f"a chunk of {length} bytes at {place} of {size} bytes")
            if head[4:] == _NOTHING:
                raise _damaged(path, f"zeros from {place} of {size} bytes on")
            if checksums and not _fits_checksum(file, head[4:], length):
                raise _damaged(path, f"a wrong checksum of the chunk at {place}")
            if head[4:] == b"IEND":
                return
            place += _HEAD_BYTES + length + _CHECKSUM_BYTES
    raise _damaged(path, f"more than {_MOST_CHUNKS} chunks")


def refuse_deep_colour(path: Path) -> None:
    """Refuse a PNG of 16 bits in colour or with alpha: Pillow silently reduces it to 8 bits.

    Raises
    ------
    FrameError
        With the colour type.
    """
    with path.open("rb") as file:
        file.seek(_DEPTH_AT)
        depth, colour = file.read(2).ljust(2, b"\0")
    if depth == 16 and colour in _COLOURS:
        raise wrong_type(path, f"a PNG of 16-bit {_COLOURS[colour]}")


def _fits_checksum(file: BinaryIO, kind: bytes, length: int) -> bool:
    checksum, left = zlib.crc32(kind), length
    while left:
        piece = file.read(min(left, _PIECE_BYTES))
        if not piece:
            return False
        checksum, left = zlib.crc32(piece, checksum), left - len(piece)
    return checksum == int.from_bytes(file.read(_CHECKSUM_BYTES), "big")


def _damaged(path: Path, got: str) -> FrameError:
    return FrameError(
        complaint(
            "image cannot be decoded",
            where=path,
            expected="whole chunks up to the last one",
            got=got,
            do="write the file again",
        )
    )
