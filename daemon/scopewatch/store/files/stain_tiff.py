"""The virtual stain as an OME-TIFF: every pixel of the frame has the value of its tile or square.

All rows of pixels within a row of tiles are alike. Deflate sees that only byte by byte, so that
each row of tiles is one strip of the file in which one row of pixels is compressed; the others are
a block that repeats the row before, which is the same for all rows of a width.
"""

import io
import random
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from uuid import NAMESPACE_OID, uuid5

import numpy as np
import tifffile
from numpy.typing import NDArray

from scopewatch.core.imaging.overlay import stain_levels
from scopewatch.core.imaging.tiling import SquareScores, TileGrid, TileScores

# An empty last block, which ends a stream (RFC 1951, 3.2.6).
_END = b"\x03\x00"


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
        rowsperstrip=grid.tile_px,
        metadata={"axes": "YX", "UUID": str(uuid), **metadata},
    )
    return encoded.getvalue()


def deflate_rows(row: bytes, times: int) -> bytes:
    """Return a zlib stream of `row` repeated so often, at the cost of one row."""
    # Runs of equal bytes are all that a row has.
    stream = zlib.compressobj(strategy=zlib.Z_RLE)
    # A sync flush ends at a whole byte, and the next block may begin there.
    first = stream.compress(row) + stream.flush(zlib.Z_SYNC_FLUSH)
    again = _repetition(len(row))
    if again is None:
        again = stream.compress(row) + stream.flush(zlib.Z_SYNC_FLUSH)
    checksum = zlib.adler32(row * times).to_bytes(4, "big")
    return first + again * (times - 1) + _END + checksum


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


def _strips(levels: NDArray[np.uint8], grid: TileGrid) -> Iterator[bytes]:
    for tile_row, row in enumerate(levels):
        height = min(grid.tile_px, grid.height - tile_row * grid.tile_px)
        yield deflate_rows(row.repeat(grid.tile_px)[: grid.width].tobytes(), height)
