"""Reads pixels of one plane of a TIFF, checked before and after they are decoded.

tifffile decodes uncompressed pixels, or they are read directly where they have no directory of
their own; Pillow's libtiff decodes compressed ones, and never writes more than the declared size of
a strip.
"""

from pathlib import Path
from typing import BinaryIO

import numpy as np

from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.imaging.frame import Pixels
from scopewatch.sources.readers.decode import (
    as_grey,
    decode_uncompressed,
    decode_with_pillow,
    undecodable,
    wrong_type,
)
from scopewatch.sources.readers.holes import refuse_hole, refuse_unwritten_strips
from scopewatch.sources.readers.planes import ReadLimits, check_size
from scopewatch.sources.readers.tiff import ifd
from scopewatch.sources.readers.tiff.header import Layout
from scopewatch.sources.readers.tiff.ifd import Directory
from scopewatch.sources.readers.tiff.samples import decode_samples

_NO_COMPRESSION = 1
# Bytes of compressed strips beyond twice those of the pixels: edge tiles, tables of JPEG.
_SPARE_BYTES = 16 * 1024 * 1024
# Photometric interpretations by number of samples: grey (and alpha), RGB (and alpha).
_COLOURS = {2: (1,), 3: (1, 2), 4: (2,)}
_PREDICTABLE = frozenset({5, 8, 32946, 50000})  # LZW, deflate (two codes), Zstandard
_BY_LIBTIFF = _PREDICTABLE | {6, 7, 32773}  # JPEG (old and new), PackBits


def decode_page(
    path: Path, file: BinaryIO, layout: Layout, directory: Directory, page: int, limits: ReadLimits
) -> Pixels:
    """Decode a plane that has a directory of its own.

    Raises
    ------
    FrameError
        When it is too large, not grey of 8 or 16 bits, not decodable, or not completely written.
    """
    _check(path, directory, limits)
    compression = directory.number(ifd.COMPRESSION, _NO_COMPRESSION)
    if compression == _NO_COMPRESSION:
        pixels = decode_uncompressed(path, page)
        refuse_hole(pixels, _place(path, page), first=page == 0, tile_px=_tile_px(directory))
        return pixels
    predicted = directory.number(ifd.PREDICTOR, 1) != 1
    big_big = layout.big and layout.order == ">"
    if compression not in (_PREDICTABLE if predicted else _BY_LIBTIFF) or big_big:
        raise FrameError(
            complaint(
                "TIFF is compressed in an unsupported way",
                where=path,
                expected="none, LZW, deflate, Zstandard, PackBits or JPEG",
                got=f"code {compression}{', predictor' if predicted else ''}",
                do="export without compression",
            )
        )
    samples = directory.number(ifd.SAMPLES, 1)
    if directory.bytes_of_pixels > _most_bytes(directory, samples):
        raise undecodable(path, f"{directory.bytes_of_pixels} bytes of strips")
    strips = ifd.read_strips(file, layout, directory)
    refuse_unwritten_strips((_read(file, *strip) for strip in strips), _place(path, page))
    if samples == 2 or (samples > 1 and directory.number(ifd.BITS, 1) > 8):
        return as_grey(decode_samples(file, layout, directory, _place(path, page)), path)
    return decode_with_pillow(path, "TIFF", page)


def read_plain(
    path: Path, file: BinaryIO, layout: Layout, directory: Directory, page: int, limits: ReadLimits
) -> Pixels:
    """Read a plane that is uncompressed and in one piece; `directory` gives its place and type.

    Raises
    ------
    FrameError
        When it is too large, not grey of 8 or 16 bits, truncated, or not completely written.
    """
    _check(path, directory, limits)
    height, width = directory.number(ifd.HEIGHT, 0), directory.number(ifd.WIDTH, 0)
    samples = directory.number(ifd.SAMPLES, 1)
    dtype = np.dtype(f"{layout.order}u{directory.number(ifd.BITS, 8) // 8}")
    raw = _read(file, directory.first[0], directory.bytes_of_pixels)
    if len(raw) < directory.bytes_of_pixels:
        raise undecodable(_place(path, page), "pixels that are cut off")
    values = np.frombuffer(raw, dtype=dtype)
    if samples == 1:
        shape: tuple[int, ...] = (height, width)
    else:
        apart = directory.number(ifd.PLANAR, 1) != 1
        shape = (samples, height, width) if apart else (height, width, samples)
    pixels = as_grey(values.reshape(shape), path)
    refuse_hole(pixels, _place(path, page), first=page == 0)
    return pixels


def _tile_px(directory: Directory) -> tuple[int, int] | None:
    if ifd.TILE_OFFSETS not in directory.tags:
        return None
    return directory.number(ifd.TILE_LENGTH, 0), directory.number(ifd.TILE_WIDTH, 0)


def _most_bytes(directory: Directory, samples: int) -> int:
    """Return the limit of bytes in compressed strips: a trap may list the same ones repeatedly."""
    height, width = directory.number(ifd.HEIGHT, 0), directory.number(ifd.WIDTH, 0)
    whole = height * width * samples * directory.number(ifd.BITS, 8) // 8
    return 2 * whole + _SPARE_BYTES


def _read(file: BinaryIO, start: int, length: int) -> bytes:
    file.seek(start)
    return file.read(length)


def _place(path: Path, page: int) -> str:
    return f"{path} page {page}" if page else str(path)


def _check(path: Path, directory: Directory, limits: ReadLimits) -> None:
    """Refuse a page for which a library would allocate more than the largest plane."""
    check_size(directory.number(ifd.HEIGHT, 0), directory.number(ifd.WIDTH, 0), path, limits)
    tile = _tile_px(directory)
    if tile is not None:
        check_size(*tile, f"{path}: a tile", limits)
    depth = max(directory.number(ifd.IMAGE_DEPTH, 1), directory.number(ifd.TILE_DEPTH, 1))
    samples = directory.number(ifd.SAMPLES, 1)
    if depth != 1 or samples not in (1, 2, 3, 4):
        raise wrong_type(path, f"{samples} samples, depth {depth}")
    bits, kind = directory.number(ifd.BITS, 1), directory.number(ifd.SAMPLE_FORMAT, 1)
    if kind != 1 or bits not in (8, 16):
        name = {1: "unsigned", 2: "signed", 3: "float"}.get(kind, "unknown")
        raise wrong_type(path, f"{bits}-bit {name}")
    colour = directory.number(ifd.PHOTOMETRIC, 1)
    if colour == 0:
        raise wrong_type(path, "inverted grey (white is zero)")
    compressed = directory.number(ifd.COMPRESSION, _NO_COMPRESSION) != _NO_COMPRESSION
    by_pillow = compressed and bits == 8 and samples > 2
    if samples > 1 and not by_pillow:
        # Decoded unchanged: other colours (CMYK, YCbCr, Lab) would be misread.
        if colour not in _COLOURS[samples]:
            raise wrong_type(path, f"{samples} samples of photometric interpretation {colour}")
        height, width = directory.number(ifd.HEIGHT, 0), directory.number(ifd.WIDTH, 0)
        check_size(height, width * samples, path, limits)
