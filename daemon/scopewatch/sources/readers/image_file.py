"""Entry point to all image files: list planes, read one, check whether a file is complete."""

from pathlib import Path

from PIL import Image

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts, Statement
from scopewatch.sources.readers.decode import DECODE_FAULTS, decode_with_pillow, undecodable
from scopewatch.sources.readers.holes import refuse_hole
from scopewatch.sources.readers.memory import FileMemory
from scopewatch.sources.readers.pixel_size import resolution_um
from scopewatch.sources.readers.planes import (
    DEFAULT_LIMITS,
    Contents,
    EmptyFileError,
    Plane,
    PlaneEntry,
    ReadLimits,
    check_size,
)
from scopewatch.sources.readers.png import check_chunks, refuse_deep_colour
from scopewatch.sources.readers.tiff.reader import inspect_tiff, read_tiff
from scopewatch.sources.readers.timestamps import parse_time, time_facts
from scopewatch.sources.readers.vendors.kinds import (
    KINDS,
    is_vendor_name,
    list_vendor_planes,
    read_vendor_plane,
)

TIFF_SUFFIXES = frozenset({".tif", ".tiff"})
_PILLOW_KINDS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".bmp": "BMP"}
IMAGE_SUFFIXES = TIFF_SUFFIXES | frozenset(_PILLOW_KINDS) | frozenset(KINDS)
# A JPEG has this many zero bytes only where 4 million consecutive pixels are exactly the same; the
# gap in a file that is fetched in several pieces is usually larger.
_HOLE = bytes(16384)
_LAST_SCAN, _END = b"\xff\xda", b"\xff\xd9"
_PIECE_BYTES = 1 << 20
_EXIF_IFD, _EXIF_TAKEN, _EXIF_DATE_TIME = 0x8769, 36867, 306


def is_image_name(name: str) -> bool:
    """Return whether a file may be a frame, by its suffix."""
    # Without `Path`: it is called for every file of a folder at each rescan.
    stem, dot, suffix = name.rpartition(".")
    return bool(stem) and f"{dot}{suffix}".lower() in IMAGE_SUFFIXES


def list_planes(
    path: Path, limits: ReadLimits = DEFAULT_LIMITS, memory: FileMemory | None = None
) -> Contents:
    """List the planes of an image file, without decoding their pixels.

    Parameters
    ----------
    memory
        Cache of files read before; None: nothing is cached.

    Raises
    ------
    FrameError
        When it is no image, or cannot be read.
    """
    try:
        if path.suffix.lower() in TIFF_SUFFIXES:
            return inspect_tiff(path, limits, memory or FileMemory(limits))
        if is_vendor_name(path.name):
            return list_vendor_planes(path, limits)
        state = path.stat()
        statements, size_px = _look_with_pillow(path, limits)
    except OSError as error:
        raise _unreadable(path, error) from error
    fingerprint = f"{state.st_size}:{state.st_mtime_ns}"
    entry = PlaneEntry(page=0, fingerprint=fingerprint, statements=statements, size_px=size_px)
    return Contents(planes=(entry,))


def read_plane(
    path: Path,
    page: int = 0,
    limits: ReadLimits = DEFAULT_LIMITS,
    memory: FileMemory | None = None,
) -> Plane:
    """Read one plane of an image file as 8- or 16-bit grey.

    Parameters
    ----------
    page
        Number of the plane within the file, from 0.
    memory
        Cache of files read before; None: nothing is cached.

    Raises
    ------
    FrameError
        When it is missing, unreadable, truncated, no image, in colour, of another pixel type, or
        larger than the limits.
    """
    try:
        if path.suffix.lower() in TIFF_SUFFIXES:
            return read_tiff(path, page, limits, memory or FileMemory(limits))
        if is_vendor_name(path.name):
            return read_vendor_plane(path, page, limits)
        statements, _ = _look_with_pillow(path, limits)
        _refuse_holes(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    pixels = decode_with_pillow(path, _kind(path))
    if _kind(path) == "BMP":
        # The file begins with the lowest row.
        refuse_hole(pixels[::-1], path)
    return Plane(pixels=pixels, statements=statements)


def is_whole(path: Path, limits: ReadLimits = DEFAULT_LIMITS) -> bool:
    """Return whether every plane of a file decodes and no more are expected."""
    try:
        contents = list_planes(path, limits)
        for plane in contents.planes:
            read_plane(path, plane.page, limits)
    except FrameError:
        return False
    return bool(contents.planes) and contents.unfinished is None


def _kind(path: Path) -> str:
    kind = _PILLOW_KINDS.get(path.suffix.lower())
    if kind is None:
        raise FrameError(
            complaint(
                "file is no image",
                where=path,
                expected=", ".join(sorted(IMAGE_SUFFIXES)),
                got=path.suffix or "no suffix",
                do="export TIFF, OME-TIFF, PNG, JPEG or BMP",
            )
        )
    return kind


def _look_with_pillow(
    path: Path, limits: ReadLimits
) -> tuple[tuple[Statement, ...], tuple[int, int]]:
    """Read statements and (height, width) of an image; Pillow decodes a PNG for its EXIF."""
    kind = _kind(path)
    if path.stat().st_size == 0:
        raise EmptyFileError(path)
    if kind == "PNG":
        check_chunks(path)
    try:
        with Image.open(path, formats=[kind]) as image:
            width, height = image.size
            check_size(height, width, path, limits)
            dpi = image.info.get("dpi", (0, 0))[0]
            exif = image.getexif()
            taken = exif.get_ifd(_EXIF_IFD).get(_EXIF_TAKEN) or exif.get(_EXIF_DATE_TIME)
    except PermissionError:
        raise
    except DECODE_FAULTS as error:
        raise undecodable(path, error) from error
    facts = PlaneFacts(pixel_size_um=resolution_um(float(dpi), 2))
    facts = facts.over(time_facts(parse_time(taken)))
    if facts == NOTHING:
        return (), (height, width)
    return (Statement(origin=Origin.TAG, by="EXIF", facts=facts),), (height, width)


def _refuse_holes(path: Path) -> None:
    """Refuse a PNG or JPEG that has its full size and is not filled yet; pixels show it of a BMP.

    Zeros are valid codes to their decoders, which would turn the missing part into grey or black.
    """
    if _kind(path) == "BMP":
        return
    if _kind(path) == "PNG":
        check_chunks(path, checksums=True)
        refuse_deep_colour(path)
        return
    place, before, scan, end = 0, b"", -1, -1
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            window = before + piece
            if _HOLE in window:
                raise undecodable(path, f"{len(_HOLE)} zero bytes on end")
            first = place - len(before)
            scan = max(scan, first + window.rfind(_LAST_SCAN)) if _LAST_SCAN in window else scan
            end = max(end, first + window.rfind(_END)) if _END in window else end
            place, before = place + len(piece), window[1 - len(_HOLE) :]
    if end < scan:
        raise undecodable(path, f"no end at {place} bytes")


def _unreadable(path: Path, error: OSError) -> FrameError:
    return FrameError(
        complaint(
            "image file cannot be read",
            where=path,
            got=error.strerror or str(error),
            do="check that it exists, its permissions, and the share",
        )
    )
