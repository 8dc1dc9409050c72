"""Decodes compressed TIFF pixels of several samples without loss.

Pillow silently opens 16-bit RGB, RGBA and grey with alpha as 8 bits, and some of it not at all. Its
decoder, libtiff, loses nothing: so the same strips are presented to it as those of a grey image,
which Pillow keeps unchanged. Interleaved samples make the image wider; planar samples become images
of their own.
"""

import io
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scopewatch.sources.readers.decode import DECODE_FAULTS, undecodable
from scopewatch.sources.readers.tiff import ifd
from scopewatch.sources.readers.tiff.header import Layout
from scopewatch.sources.readers.tiff.ifd import Directory
from scopewatch.sources.readers.tiff.quiet import silence_libtiff

_SHORT, _LONG = 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grey:
    """A grey image that strips or tiles of a directory make."""

    height: int
    width: int
    tile_width: int
    strips: tuple[tuple[int, int], ...]
    predictor: int


def decode_samples(
    file: BinaryIO, layout: Layout, directory: Directory, where: object
) -> NDArray[Any]:
    """Return (H, W, S) uint8 or uint16.

    Raises
    ------
    FrameError
        When the pixels do not decode.
    """
    height, width = directory.number(ifd.HEIGHT, 0), directory.number(ifd.WIDTH, 0)
    samples = directory.number(ifd.SAMPLES, 1)
    tile_width = directory.number(ifd.TILE_WIDTH, 0)
    predictor = directory.number(ifd.PREDICTOR, 1)
    strips = ifd.read_strips(file, layout, directory)
    if directory.number(ifd.PLANAR, 1) != 1:
        each = len(strips) // samples
        apart = [
            _Grey(
                height=height,
                width=width,
                tile_width=tile_width,
                strips=strips[number * each : (number + 1) * each],
                predictor=predictor,
            )
            for number in range(samples)
        ]
        return np.stack([_decode(file, layout, directory, grey, where) for grey in apart], axis=2)
    # Differences are to the samples before, not to the values before: undone below.
    beside = _Grey(
        height=height,
        width=width * samples,
        tile_width=tile_width * samples,
        strips=strips,
        predictor=1,
    )
    pixels = _decode(file, layout, directory, beside, where).reshape(height, width, samples)
    if predictor == 2:
        step = tile_width or width
        for begin in range(0, width, step):
            within = pixels[:, begin : begin + step]
            np.cumsum(within, axis=1, dtype=pixels.dtype, out=within)
    return pixels


def _decode(
    file: BinaryIO, layout: Layout, directory: Directory, grey: _Grey, where: object
) -> NDArray[Any]:
    silence_libtiff()
    content = io.BytesIO(_as_tiff(file, layout, directory, grey))
    try:
        with Image.open(content, formats=["TIFF"]) as image:
            image.load()
            pixels = np.asarray(image)
    except DECODE_FAULTS as error:
        raise undecodable(where, error) from error
    dtype = np.dtype(f"u{directory.number(ifd.BITS, 8) // 8}")
    if pixels.shape != (grey.height, grey.width) or pixels.dtype.itemsize != dtype.itemsize:
        raise undecodable(where, f"shape {pixels.shape}, {pixels.dtype}")
    return pixels.astype(dtype)


def _as_tiff(file: BinaryIO, layout: Layout, directory: Directory, grey: _Grey) -> bytes:
    """Return a TIFF of one grey image; the strips follow its only directory."""
    count = len(grey.strips)
    entries: list[tuple[int, int, tuple[int, ...]]] = [
        (ifd.WIDTH, _LONG, (grey.width,)),
        (ifd.HEIGHT, _LONG, (grey.height,)),
        (ifd.BITS, _SHORT, (directory.number(ifd.BITS, 8),)),
        (ifd.COMPRESSION, _SHORT, (directory.number(ifd.COMPRESSION, 1),)),
        (ifd.PHOTOMETRIC, _SHORT, (1,)),
        (ifd.SAMPLES, _SHORT, (1,)),
        (ifd.PREDICTOR, _SHORT, (grey.predictor,)),
    ]
    if grey.tile_width:
        tile_height = directory.number(ifd.TILE_LENGTH, 0)
        offsets, lengths = ifd.TILE_OFFSETS, ifd.TILE_BYTES
        entries.append((ifd.TILE_WIDTH, _LONG, (grey.tile_width,)))
        entries.append((ifd.TILE_LENGTH, _LONG, (tile_height,)))
    else:
        rows = directory.number(ifd.ROWS_PER_STRIP, grey.height)
        offsets, lengths = ifd.STRIP_OFFSETS, ifd.STRIP_BYTES
        entries.append((ifd.ROWS_PER_STRIP, _LONG, (min(rows, grey.height),)))
    tables = 8 + 2 + 12 * (len(entries) + 2) + 4
    places, at = [], tables + 2 * 4 * count
    for _, length in grey.strips:
        places.append(at)
        at += length
    order = layout.order
    inline = count == 1
    entries.append((offsets, _LONG, tuple(places)))
    entries.append((lengths, _LONG, tuple(length for _, length in grey.strips)))
    body, behind = b"", b""
    for code, kind, values in sorted(entries):
        body += struct.pack(f"{order}HHI", code, kind, len(values))
        if len(values) == 1:
            value = struct.pack(f"{order}{'H' if kind == _SHORT else 'I'}", *values)
            body += value.ljust(4, b"\x00")
        else:
            body += struct.pack(f"{order}I", tables + len(behind))
            behind += struct.pack(f"{order}{len(values)}I", *values)
    head = struct.pack(f"{order}2sHIH", b"II" if order == "<" else b"MM", 42, 8, len(entries))
    pieces = [head, body, bytes(4), behind, bytes(2 * 4 * count) if inline else b""]
    for start, length in grey.strips:
        file.seek(start)
        pieces.append(file.read(length))
    return b"".join(pieces)
