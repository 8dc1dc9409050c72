"""Checks the header of a compressed chunk before it is unpacked.

A chunk whose header declares another size than its array is damaged, or made to fill the memory;
so may be a chunk without a size, which no known writer makes.
Formats: c-blosc 1 (README_CHUNK_FORMAT), Zstandard (RFC 8878, 3.1.1.1), numcodecs' LZ4 (a length
of 4 bytes before the block), gzip and zlib (without a reliable size).
"""

import struct
import zlib
from typing import Final

_ZSTD_MAGIC: Final = 0xFD2FB528
_SINGLE_SEGMENT, _DICTIONARY = 0x20, 0x03
_MORE: Final = 65_536


def is_plausible(compressor: str | None, head: bytes, size: int, unpacked: int) -> bool:
    """Return whether a chunk may unpack to `unpacked` bytes, by its header and its file size.

    False too for a file that is not completely written, where the header shows that.
    """
    if compressor is None:
        return True
    if size > unpacked + unpacked // 8 + _MORE:
        return False
    match compressor:
        case "blosc":
            return len(head) >= 16 and _blosc_sizes(head) == (unpacked, size)
        case "zstd":
            return _zstd_size(head) == unpacked
        case "lz4":
            return len(head) >= 4 and struct.unpack_from("<i", head)[0] == unpacked
        case _:
            return True


def inflates(data: bytes, unpacked: int) -> bool:
    """Return whether gzip or zlib data unpack to exactly `unpacked` bytes; never unpacks more."""
    inflater = zlib.decompressobj(wbits=47)
    try:
        length = len(inflater.decompress(data, unpacked + 1))
    except zlib.error:
        return False
    return length == unpacked and inflater.eof


def _blosc_sizes(head: bytes) -> tuple[int, int]:
    unpacked, _, packed = struct.unpack_from("<3I", head, 4)
    return unpacked, packed


def _zstd_size(head: bytes) -> int | None:
    """Return the size in the header of a frame; None where it has none."""
    if len(head) < 5 or struct.unpack_from("<I", head)[0] != _ZSTD_MAGIC:
        return None
    descriptor = head[4]
    single = bool(descriptor & _SINGLE_SEGMENT)
    width = (int(single), 2, 4, 8)[descriptor >> 6]
    start = 5 + (not single) + (0, 1, 2, 4)[descriptor & _DICTIONARY]
    if width == 0 or len(head) < start + width:
        return None
    size = int.from_bytes(head[start : start + width], "little")
    return size + 256 if width == 2 else size
