"""Whether pixels that a file has room for were ever written: holes are runs of zero bytes.

A transfer may set the final size of a file first and fill it later, in one place or in several at
once (aria2, `lftp pget`, copies by Windows); a file that is mapped into memory is made at its full
size. What is missing reads as zeros, and decodes.

A camera has an offset: its pixels are never exactly 0, let alone thousands on end. In pictures of
other origin (8 bits, background taken away, black border, circular field) 0 is an ordinary value.
Hence the rule: zero bytes on end, at least 4096 and 1/64 of the plane, are a hole where fewer than
1/256 of the other pixels are 0; so are fewer, at least 4096 and two rows, that do not reach the end
of the plane, where fewer than 1/65536 of the others are. Those that a file's first plane begins
with are none, unless it holds nothing else: what lies before them, the header, was written. Pixels
are looked at in the order in which the file holds them, tile by tile where it has tiles.

What the rule costs: a picture with a black border along its lower edge that is as large, and hardly
another black pixel, is not read; of a picture in which 0 is ordinary a hole is not seen; nor is one
that is smaller.

Compressed pixels are told by their bytes as they lie in the file: no encoder writes 4096 zero bytes
on end, nor ends a strip with 64.
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
# Of pictures of a camera: two rows that are dead, and hardly a pixel beside them, are none.
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
        It is the first plane of its file.
    tile_px
        (h, w) of the tiles in which the file holds it; None where it holds rows.

    Raises
    ------
    NotWrittenError
        Naming how much is missing.
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
    """Return where the first hole of a plane begins and ends; None where it has none.

    Parameters
    ----------
    values
        (N,) uint8 or uint16, all pixels of a plane.
    row_px
        How many of them are a row.
    first
        It is the first plane of its file.
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
        Of the plane, as they lie in the file.

    Raises
    ------
    NotWrittenError
        Naming the strip.
    """
    nothing = bytes(LEAST_BYTES)
    for number, strip in enumerate(strips):
        if strip and (not any(strip[-_STRIP_END_BYTES:]) or nothing in strip):
            raise not_written(where, f"zeros in compressed strip {number}")


def not_written(where: object, got: str) -> NotWrittenError:
    """Return the complaint about a plane of which a part was never written."""
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
    # Any such run holds a whole block of half its length; most planes hold none.
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
