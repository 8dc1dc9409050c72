"""Finds pixels that a file has room for and that were never written: long runs of zero bytes.

A transfer may set the final size of a file first and fill it later, in one place or in several at
once (aria2, `lftp pget`, copies by Windows); a memory-mapped file is created at its full size. The
missing part reads as zeros, and decodes.

A camera has an offset: its pixels are never exactly 0, and certainly not thousands in a row. In
images of other origin (8 bits, background subtracted, black border, circular field) 0 is an
ordinary value. Hence the rule: a run of zero bytes, at least 4096 and 1/64 of the plane, is a hole
if fewer than 1/256 of the other pixels are 0; so is a shorter run, at least 4096 and two rows, that
does not reach the end of the plane, if fewer than 1/65536 of the others are. A run at the beginning
of the first plane of a file is no hole, unless it is the whole plane: the header before it was
written. Pixels are checked in the order of the file, tile by tile where it has tiles.

Cost of the rule: an image with an equally large black border along its lower edge, and almost no
other black pixel, is not read; a hole is missed in an image in which 0 is ordinary, and when it is
smaller.

Compressed pixels are checked by their bytes in the file: no encoder writes 4096 zero bytes in a
row, nor ends a strip with 64.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import complaint
from scopewatch.core.imaging.frame import Pixels
from scopewatch.sources.readers.planes import NotWrittenError

LEAST_BYTES = 4096
_SHARE_OF_PLANE = 64
_ORDINARY_SHARE = 256
# In camera images two dead rows with almost no other zero pixel are no hole.
_CAMERA_SHARE = 65_536
_ROWS_WITHIN = 2
_STRIP_END_BYTES = 64


def refuse_hole(
    pixels: Pixels, where: object, *, first: bool = True, tile_px: tuple[int, int] | None = None
) -> None:
    """Refuse a plane of which a part was never written.

    Parameters
    ----------
    pixels
        (H, W) uint8 or uint16.
    first
        Whether it is the first plane of its file.
    tile_px
        (h, w) of the tiles in which the file holds it; None where it holds rows.

    Raises
    ------
    NotWrittenError
        With the size of the missing part.
    """
    width = pixels.shape[1]
    if tile_px is None:
        values = np.ascontiguousarray(pixels).reshape(-1)
    else:
        values = np.concatenate([tile.reshape(-1) for tile in _tiles(pixels, *tile_px)])
    hole = find_hole(values, width, first=first)
    if hole is None:
        return
    begin, end = hole
    place = f"row {begin // width} of {pixels.shape[0]} on" if tile_px is None else "some tile on"
    raise not_written(where, f"zeros from {place}, {end - begin} pixels on end")


def find_hole(values: NDArray[Any], row_px: int, *, first: bool = True) -> tuple[int, int] | None:
    """Return begin and end of the first hole of a plane; None where it has none.

    Parameters
    ----------
    values
        (N,) uint8 or uint16, all pixels of a plane.
    row_px
        Number of pixels in a row.
    first
        Whether it is the first plane of its file.
    """
    size = values.size
    least = min(size, max(1, LEAST_BYTES // values.itemsize))
    large = min(size, max(least, size // _SHARE_OF_PLANE))
    runs = _zero_runs(values, least)
    if first and runs and runs[0][0] == 0 and runs[0][1] < size:
        del runs[0]
    if not runs:
        return None
    zeros = size - int(np.count_nonzero(values))
    within = max(least, _ROWS_WITHIN * row_px)
    for holes, share in (
        ([run for run in runs if run[1] - run[0] >= large], _ORDINARY_SHARE),
        ([run for run in runs if run[1] - run[0] >= within and run[1] < size], _CAMERA_SHARE),
    ):
        missing = sum(end - begin for begin, end in holes)
        if holes and (zeros - missing) * share <= size - missing:
            return holes[0]
    return None


def _tiles(pixels: Pixels, height: int, width: int) -> Iterator[Pixels]:
    for row in range(0, pixels.shape[0], height):
        for column in range(0, pixels.shape[1], width):
            yield pixels[row : row + height, column : column + width]


def refuse_unwritten_strips(strips: Iterable[bytes], where: object) -> None:
    """Refuse compressed pixels of which a part was never written.

    Parameters
    ----------
    strips
        Strips of the plane, as they are in the file.

    Raises
    ------
    NotWrittenError
        With the number of the strip.
    """
    nothing = bytes(LEAST_BYTES)
    for number, strip in enumerate(strips):
        if strip and (not any(strip[-_STRIP_END_BYTES:]) or nothing in strip):
            raise not_written(where, f"zeros in compressed strip {number}")


def not_written(where: object, got: str) -> NotWrittenError:
    """Return the error for a plane of which a part was never written."""
    return NotWrittenError(
        complaint(
            "image is not completely written",
            where=where,
            got=got,
            do="let the transfer or the writer finish, or write it again",
        )
    )


def _zero_runs(values: NDArray[Any], least: int) -> list[tuple[int, int]]:
    """Return (begin, end) of all runs of at least `least` zeros."""
    # Each such run contains a whole block of half its length; most planes contain none.
    step = max(1, least // 2)
    inside = values.size // step * step
    empty = values[:inside].reshape(-1, step).max(axis=1) == 0
    edges = np.flatnonzero(np.diff(empty, prepend=False, append=False))
    runs = []
    for first, behind in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        before = values[max(0, (first - 1) * step) : first * step][::-1]
        after = values[behind * step : (behind + 1) * step]
        begin = first * step - _leading_zeros(before)
        end = behind * step + _leading_zeros(after)
        if end - begin >= least:
            runs.append((begin, end))
    return runs


def _leading_zeros(values: NDArray[Any]) -> int:
    filled = values != 0
    return int(filled.argmax()) if filled.any() else values.size
