"""Fluorescence readings as bytes: levels as floats and the histogram as counts, compressed.

A 2048 x 2048 frame of 32 px tiles takes a few tens of kilobytes, where its pixels take eight
megabytes.
"""

import zlib

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import StoreError, complaint
from scopewatch.core.imaging.fluorescence import FluorescenceReading
from scopewatch.core.imaging.histogram import BINS
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch.store.schema.well_tables import FluorescenceRow


def pack_reading(row: FluorescenceRow, reading: FluorescenceReading) -> None:
    """Write a reading into the columns of its row."""
    row.height_px, row.width_px = reading.grid.height, reading.grid.width
    row.tile_px = reading.grid.tile_px
    row.noise = reading.noise
    row.maybe = _pack(reading.maybe.astype("<f4"))
    row.positive = _pack(reading.positive.astype("<f4"))
    row.histogram = _pack(reading.histogram.astype("<i8"))


def unpack_reading(row: FluorescenceRow) -> FluorescenceReading:
    """Return the reading that a row holds.

    Raises
    ------
    StoreError
        When its bytes are damaged.
    """
    grid = TileGrid(height=row.height_px, width=row.width_px, tile_px=row.tile_px)
    tiles = grid.rows * grid.cols
    return FluorescenceReading(
        grid=grid,
        maybe=_unpack(row.maybe, "<f4", tiles).astype(np.float32).reshape(grid.shape),
        positive=_unpack(row.positive, "<f4", tiles).astype(np.float32).reshape(grid.shape),
        histogram=_unpack(row.histogram, "<i8", BINS).astype(np.int64),
        noise=row.noise,
    )


def _pack(values: NDArray[np.generic]) -> bytes:
    return zlib.compress(np.ascontiguousarray(values).tobytes(), 1)


def _unpack(packed: bytes, kind: str, count: int) -> NDArray[np.generic]:
    expected = count * np.dtype(kind).itemsize
    try:
        # One byte more than expected shows that there is too much.
        raw = zlib.decompressobj().decompress(packed, expected + 1)
    except zlib.error as error:
        raise _damaged(str(error)) from error
    if len(raw) != expected:
        raise _damaged(f"{len(raw)} bytes in place of {expected}")
    return np.frombuffer(raw, dtype=kind)


def _damaged(got: str) -> StoreError:
    return StoreError(
        complaint(
            "stored fluorescence is damaged",
            where="table fluorescence",
            got=got,
            do="restore scopewatch.db from a backup, or delete it and let the run be read again",
        )
    )
