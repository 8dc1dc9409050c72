"""Decodes pixels with Pillow and tifffile, and reduces them to grey or refuses them."""

import struct
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.imaging.frame import Pixels
from scopewatch.sources.readers.tiff.quiet import silence_libtiff

# Errors of Pillow and tifffile on damaged or hostile files; warnings too, where the interpreter
# turns them into errors.
DECODE_FAULTS: Final = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    OverflowError,
    MemoryError,
    ZeroDivisionError,
    AttributeError,
    struct.error,
    zlib.error,
    UnidentifiedImageError,
    tifffile.TiffFileError,
    Image.DecompressionBombError,
    Warning,
)

# What tifffile and imageio make of a stack of two to four frames by default.
_STACK: Final = "{} planes after each other, as of a stack of frames that was saved as colours"


def undecodable(where: object, got: object, do: str = "write the file again") -> FrameError:
    """Return the error for a file that exists but does not decode."""
    text = " ".join(str(got).split())[:200] or type(got).__name__
    return FrameError(complaint("image cannot be decoded", where=where, got=text, do=do))


def decode_uncompressed(path: Path, page: int) -> Pixels:
    """Read an uncompressed page of a TIFF with tifffile.

    Raises
    ------
    FrameError
        When it cannot be decoded, or is neither grey nor RGB-stored grey.
    """
    try:
        with tifffile.TiffFile(path) as file:
            pixels = file.pages[page].asarray()
    except DECODE_FAULTS as error:
        raise undecodable(path, error) from error
    return as_grey(pixels, path)


def decode_with_pillow(path: Path, kind: str, page: int = 0) -> Pixels:
    """Read a PNG, a JPEG, or a page of a compressed TIFF (by libtiff) with Pillow.

    Raises
    ------
    FrameError
        When it cannot be decoded, or is neither grey nor RGB-stored grey.
    """
    if kind == "TIFF":
        silence_libtiff()
    try:
        with Image.open(path, formats=[kind]) as image:
            if page:
                image.seek(page)
            image.load()
            mode = image.mode
            if mode in ("P", "PA", "CMYK", "YCbCr"):
                pixels: NDArray[Any] = np.asarray(image.convert("RGB"))
            else:
                pixels = np.asarray(image)
    except DECODE_FAULTS as error:
        raise undecodable(path, error) from error
    return as_grey(pixels, path)


def as_grey(pixels: NDArray[Any], where: object) -> Pixels:
    """Return (H, W) uint8 or uint16, from grey or three equal channels; either may have alpha.

    Raises
    ------
    FrameError
        For colour, for an alpha channel that is not opaque, for other pixel types and shapes.
    """
    grey: NDArray[Any] = np.squeeze(pixels) if pixels.ndim > 3 else pixels
    planar = grey.ndim == 3 and grey.shape[0] in (2, 3, 4) and grey.shape[2] not in (2, 3, 4)
    if planar:
        grey = np.moveaxis(grey, 0, 2)
    if grey.ndim == 3 and grey.shape[2] in (2, 4):
        grey = _opaque(grey, where, got=_STACK.format(grey.shape[2]) if planar else None)
    if grey.ndim == 3 and grey.shape[2] == 3:
        first = grey[..., 0]
        if not (np.array_equal(first, grey[..., 1]) and np.array_equal(first, grey[..., 2])):
            raise FrameError(
                complaint(
                    "image is in colour",
                    where=where,
                    expected="grey, or three equal channels",
                    got=_STACK.format(3) if planar else "channels that differ",
                    do="export the raw phase-contrast frame without colours or scale bar",
                )
            )
        grey = first
    if grey.ndim != 2:
        raise wrong_type(where, f"shape {pixels.shape}")
    if grey.dtype.kind != "u" or grey.dtype.itemsize not in (1, 2):
        raise wrong_type(where, str(grey.dtype))
    return np.ascontiguousarray(grey, dtype=grey.dtype.newbyteorder("="))


def wrong_type(where: object, got: str) -> FrameError:
    """Return the error for pixels that are no camera counts."""
    return FrameError(
        complaint(
            "image has an unsupported pixel type",
            where=where,
            expected="8- or 16-bit unsigned grey",
            got=got,
            do="export the raw camera frames",
        )
    )


def _opaque(pixels: NDArray[Any], where: object, *, got: str | None) -> NDArray[Any]:
    """Remove an alpha channel that is opaque; `got` says what it may be else."""
    if pixels.dtype.kind != "u":
        raise wrong_type(where, str(pixels.dtype))
    if not np.all(pixels[..., -1] == np.iinfo(pixels.dtype).max):
        raise FrameError(
            complaint(
                "image is partly transparent",
                where=where,
                got=got,
                do="export the raw camera frame",
            )
        )
    return pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3]
