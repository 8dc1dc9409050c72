"""The virtual stain as an OME-TIFF: every pixel of the frame has the value of its tile or square.

All rows of pixels within a row of tiles are alike. Deflate sees that only byte by byte, so that of
each row of tiles one row of pixels is compressed; the others are a block that repeats the row
before, which is the same for all rows of a width. A strip of the file holds a few rows of tiles.
"""

import io
import random
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final
from uuid import NAMESPACE_OID, uuid5

import numpy as np
import tifffile
from numpy.typing import NDArray

from scopewatch.core.imaging.overlay import stain_levels
from scopewatch.core.imaging.tiling import SquareScores, TileGrid, TileScores

# An empty last block, which ends a stream (RFC 1951, 3.2.6).
_END: Final = b"\x03\x00"
# Of a strip, about: a compressor of its own takes as long as four rows.
_STRIP_PX: Final = 32
_ADLER_BASE: Final = 65_521


def encode_stain(
    scores: TileScores, metadata: Mapping[str, object], squares: SquareScores | None = None
) -> bytes:
    """Return an OME-TIFF of `core.imaging.overlay.stain_plane`, with OME metadata of the image."""
    encoded = io.BytesIO()
    grid, levels = stain_levels(scores, squares)
    # By itself tifffile takes a new one each time; here the same stain gives the same file.
    uuid = uuid5(NAMESPACE_OID, f"{metadata} {levels.shape} {zlib.crc32(levels.tobytes())}")
    tifffile.imwrite(
        encoded,
        _strips(levels, grid),
        shape=(grid.height, grid.width),
        dtype=np.uint8,
        ome=True,
        photometric="minisblack",
        compression="zlib",
        rowsperstrip=_tile_rows(grid) * grid.tile_px,
        metadata={"axes": "YX", "UUID": str(uuid), **metadata},
    )
    return encoded.getvalue()


def deflate_rows(rows: Iterable[tuple[bytes, int]]) -> bytes:
    """Return a zlib stream of rows of one length, each so often, at the cost of one of each."""
    # Runs of equal bytes are all that a row has. They refer to the byte before, which is the same
    # wherever a row was repeated.
    stream = zlib.compressobj(strategy=zlib.Z_RLE)
    blocks, checksum = [], 1
    for row, times in rows:
        # A sync flush ends at a whole byte, and the next block may begin there.
        blocks.append(stream.compress(row) + stream.flush(zlib.Z_SYNC_FLUSH))
        again = _repetition(len(row))
        if again is None:
            again = stream.compress(row) + stream.flush(zlib.Z_SYNC_FLUSH)
        blocks.append(again * (times - 1))
        checksum = _checksum(checksum, row, times)
    return b"".join(blocks) + _END + checksum.to_bytes(4, "big")


def _checksum(before: int, row: bytes, times: int) -> int:
    """Return the Adler-32 (RFC 1950) of bytes that have `before`, and of a row so many times."""
    of_row = zlib.adler32(row, 0)
    counts, weighted = of_row & 0xFFFF, of_row >> 16
    low, high = before & 0xFFFF, before >> 16
    high += times * (len(row) * low + weighted) + len(row) * counts * (times * (times - 1) // 2)
    return high % _ADLER_BASE << 16 | (low + times * counts) % _ADLER_BASE


@lru_cache(maxsize=8)
def _repetition(length: int) -> bytes | None:
    """Return a deflate block that repeats the last `length` bytes, whatever they are.

    It consists of references alone. None where deflate needs a literal byte at the end, since
    references are of 3 to 258 bytes.
    """
    made = random.Random(length)  # noqa: S311 - no secret
    row, other = made.randbytes(length), made.randbytes(length)
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS, strategy=zlib.Z_FIXED)
    # One byte before, since zlib never refers to the first byte of a stream.
    stream.compress(b"\0" + row)
    stream.flush(zlib.Z_SYNC_FLUSH)
    block = stream.compress(row) + stream.flush(zlib.Z_SYNC_FLUSH)
    # By rows that are independent: a reference to bytes that are alike by chance shows.
    repeated = zlib.decompressobj(-zlib.MAX_WBITS, zdict=other).decompress(block)
    return block if repeated == other else None


def _tile_rows(grid: TileGrid) -> int:
    """Return how many rows of tiles a strip holds."""
    return max(1, _STRIP_PX // grid.tile_px)


def _strips(levels: NDArray[np.uint8], grid: TileGrid) -> Iterator[bytes]:
    rows = [
        (
            row.repeat(grid.tile_px)[: grid.width].tobytes(),
            min(grid.tile_px, grid.height - tile_row * grid.tile_px),
        )
        for tile_row, row in enumerate(levels)
    ]
    for first in range(0, len(rows), _tile_rows(grid)):
        yield deflate_rows(rows[first : first + _tile_rows(grid)])
