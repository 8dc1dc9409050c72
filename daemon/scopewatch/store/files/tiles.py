"""Tile scores as bytes: half floats and one bit per tile, both compressed.

Half floats keep every score of an int8 model exactly (multiples of 1/256) and any other
probability to 0.0005. A 2048 x 2048 frame of 32 px tiles takes a few kilobytes.
"""

import zlib

import numpy as np

from scopewatch.core.errors import StoreError, complaint
from scopewatch.core.imaging.tiling import TileGrid, TileScores


def pack(scores: TileScores) -> tuple[bytes, bytes]:
    """Return (probability, valid) of (rows, cols) tiles as compressed bytes."""
    probability = np.ascontiguousarray(scores.probability, dtype="<f2")
    return zlib.compress(probability.tobytes(), 1), np.packbits(scores.valid).tobytes()


def unpack(grid: TileGrid, probability: bytes, valid: bytes) -> TileScores:
    """Return what `pack` was given.

    Raises
    ------
    StoreError
        When the bytes do not hold the tiles of `grid`.
    """
    count = grid.rows * grid.cols
    # One byte more than expected shows that there is too much.
    unzip = zlib.decompressobj()
    try:
        raw = unzip.decompress(probability, 2 * count + 1)
    except zlib.error as error:
        raise _damaged(grid, str(error)) from error
    if len(raw) != 2 * count or len(valid) != -(-count // 8):
        raise _damaged(grid, f"{len(raw)} and {len(valid)} bytes")
    bits = np.unpackbits(np.frombuffer(valid, dtype=np.uint8), count=count)
    return TileScores(
        grid=grid,
        probability=np.frombuffer(raw, dtype="<f2").astype(np.float32).reshape(grid.shape),
        valid=bits.astype(bool).reshape(grid.shape),
    )


def _damaged(grid: TileGrid, got: str) -> StoreError:
    return StoreError(
        complaint(
            "stored tile scores are damaged",
            where="table tile_scores",
            expected=f"{grid.rows} x {grid.cols} tiles",
            got=got,
            do="restore scopewatch.db from a backup, or score the frame again",
        )
    )
