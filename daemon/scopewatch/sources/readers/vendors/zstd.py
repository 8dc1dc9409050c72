"""Decompresses pixels that ZEN compressed with Zstandard.

Kind 5 is a plain frame. Kind 6 has a header before it: its length, and if that is 3 a part whose
lowest bit states whether low and high bytes of 16-bit pixels were split into two halves.
https://github.com/ZEISS/libczi (decoder_zstd.cpp)
"""

import sys

import numpy as np
from numpy.typing import NDArray

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PLAIN, WITH_HEADER = 5, 6
_PACKING = 1


def decompress(data: bytes, kind: int, size: int) -> NDArray[np.uint8]:
    """Return the bytes of a plane of `size` bytes.

    Raises
    ------
    ValueError
        When they do not decompress to that size.
    """
    packed = False
    if kind == WITH_HEADER:
        length = data[0] if data else 0
        if length == 3 and data[1] == _PACKING:
            packed = bool(data[2] & 1)
        elif length != 1:
            raise ValueError(f"header of {length} bytes before the compressed pixels")
        data = data[length:]
    try:
        plain = zstd.ZstdDecompressor().decompress(data, max_length=size)
    except zstd.ZstdError as error:
        raise ValueError(f"compressed pixels are damaged: {error}") from error
    if len(plain) != size:
        raise ValueError(f"{len(plain)} bytes decompressed, {size} expected")
    pixels = np.frombuffer(plain, dtype=np.uint8)
    return np.ascontiguousarray(pixels.reshape(2, -1).T).reshape(-1) if packed else pixels
