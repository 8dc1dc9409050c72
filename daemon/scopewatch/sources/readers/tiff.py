"""TIFF files of all microscope kinds: what planes they hold, also while they grow, and pixels.

Directories are walked within bounds (`ifd.py`); what they say of themselves is in
`tiff_facts.py`. Uncompressed pixels are decoded by tifffile, compressed ones by Pillow's
libtiff, which never writes more than the declared size of a strip.
"""

import zlib
from pathlib import Path
from typing import BinaryIO

from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.frame import Pixels
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.readers import ifd
from scopewatch.sources.readers.decode import decode_uncompressed, decode_with_pillow, wrong_type
from scopewatch.sources.readers.ifd import Chain, Directory
from scopewatch.sources.readers.planes import Contents, Plane, PlaneEntry, ReadLimits, check_size
from scopewatch.sources.readers.tiff_facts import FileFacts

_NO_COMPRESSION = 1
_PREDICTABLE = frozenset({5, 8, 32946, 50000})  # LZW, deflate (two codes), Zstandard
_BY_LIBTIFF = _PREDICTABLE | {6, 7, 32773}  # JPEG (old and new), PackBits
_SAMPLE_BYTES = 4096
_TAG_BYTES = 65_536


def inspect_tiff(path: Path, limits: ReadLimits) -> Contents:
    """List the planes of a TIFF that are whole, without decoding them.

    A plane counts as whole when its pixels lie within the file and Micro-Manager's metadata,
    which its writers put behind the pixels, parses. In a file whose chain of directories is
    still open, a last plane without such metadata has to wait for the next one.

    Raises
    ------
    FrameError
        When the file is no TIFF, its directories loop, or its metadata is damaged.
    OSError
        When it cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        chain = ifd.walk_directories(file, size, path, limits.max_planes)
        return _contents(file, chain, size, path, limits)


def read_tiff(path: Path, page: int, limits: ReadLimits) -> Plane:
    """Read one plane of a TIFF.

    Raises
    ------
    FrameError
        When it is not there, not whole, too large, or not grey of 8 or 16 bits.
    OSError
        When the file cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        chain = ifd.walk_directories(file, size, path, limits.max_planes)
        if page >= len(chain.directories):
            raise _unfinished(path, page, chain.stopped or f"only {len(chain.directories)} pages")
        directory = chain.directories[page]
        if directory.end_of_pixels > size:
            raise _unfinished(path, page, "its pixels are cut off")
        statements = FileFacts(file, chain, path, limits).of(page)
    pixels = _decode(path, page, chain, directory, limits)
    return Plane(pixels=pixels, statements=statements)


def _contents(file: BinaryIO, chain: Chain, size: int, path: Path, limits: ReadLimits) -> Contents:
    stopped, cut = chain.stopped, chain.cut
    facts = FileFacts(file, chain, path, limits)
    planes = []
    last = len(chain.directories) - 1
    for page, directory in enumerate(chain.directories):
        if directory.number(ifd.SUBFILE, 0) & 1:
            continue  # a reduced image: a thumbnail, or a level of a pyramid
        why = _why_unfinished(directory, facts, page, size, open_end=page == last and bool(stopped))
        if why is not None:
            stopped, cut = f"{why} (page {page})", directory.end_of_pixels > size
            break
        fingerprint = _fingerprint(file, directory)
        planes.append(
            PlaneEntry(
                page=page,
                fingerprint=fingerprint,
                statements=facts.of(page),
                size_px=(directory.number(ifd.HEIGHT, 0), directory.number(ifd.WIDTH, 0)),
            )
        )
    places = {_identity(plane.facts) for plane in planes}
    return Contents(
        planes=tuple(planes),
        unfinished=stopped,
        cut_off=cut,
        axes_known=len(places) == len(planes),
        trouble=facts.trouble,
    )


def _identity(facts: PlaneFacts) -> tuple[object, ...]:
    return (*facts.place, facts.channel_code, facts.plate, facts.well, facts.site)


def _why_unfinished(
    directory: Directory, facts: FileFacts, page: int, size: int, *, open_end: bool
) -> str | None:
    if directory.end_of_pixels > size:
        return "its pixels are cut off"
    if ifd.MM_METADATA in directory.tags:
        return None if facts.tags(page) is not None else "its metadata is not written yet"
    return "the next page is not written yet" if open_end else None


def _fingerprint(file: BinaryIO, directory: Directory) -> str:
    """Tell a plane from one that replaced it, by samples: stacks are too large to read whole."""
    checksum = zlib.crc32(ifd.read_bytes(file, directory.tags.get(ifd.MM_METADATA), _TAG_BYTES))
    first, last = directory.first, directory.last
    for start, length in (first, (max(0, sum(last) - _SAMPLE_BYTES), min(last[1], _SAMPLE_BYTES))):
        file.seek(start)
        checksum = zlib.crc32(file.read(min(length, _SAMPLE_BYTES)), checksum)
    return f"{first[0]}:{checksum:08x}"


def _decode(
    path: Path, page: int, chain: Chain, directory: Directory, limits: ReadLimits
) -> Pixels:
    _check_sizes(path, directory, limits)
    _check_type(path, directory)
    compression = directory.number(ifd.COMPRESSION, _NO_COMPRESSION)
    if compression == _NO_COMPRESSION:
        return decode_uncompressed(path, page)
    predicted = directory.number(ifd.PREDICTOR, 1) != 1
    big_big = chain.layout.big and chain.layout.order == ">"
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
    return decode_with_pillow(path, "TIFF", page)


def _check_sizes(path: Path, directory: Directory, limits: ReadLimits) -> None:
    """Refuse what would make a library allocate more than a plane of the largest size."""
    check_size(directory.number(ifd.HEIGHT, 0), directory.number(ifd.WIDTH, 0), path, limits)
    if ifd.TILE_OFFSETS in directory.tags:
        tile = directory.number(ifd.TILE_LENGTH, 0), directory.number(ifd.TILE_WIDTH, 0)
        check_size(*tile, f"{path}: a tile", limits)
    depth = max(directory.number(ifd.IMAGE_DEPTH, 1), directory.number(ifd.TILE_DEPTH, 1))
    samples = directory.number(ifd.SAMPLES, 1)
    if depth != 1 or samples not in (1, 3, 4):
        raise wrong_type(path, f"{samples} samples, depth {depth}")


def _check_type(path: Path, directory: Directory) -> None:
    bits, kind = directory.number(ifd.BITS, 1), directory.number(ifd.SAMPLE_FORMAT, 1)
    if kind != 1 or bits not in (8, 16):
        name = {1: "unsigned", 2: "signed", 3: "float"}.get(kind, "unknown")
        raise wrong_type(path, f"{bits}-bit {name}")
    photometric = directory.number(ifd.PHOTOMETRIC, 1)
    if photometric == 0:
        raise wrong_type(path, "inverted grey (white is zero)")


def _unfinished(path: Path, page: int, why: str) -> FrameError:
    return FrameError(
        complaint(
            "image file is cut off",
            where=f"{path} page {page}",
            got=why,
            do="check that the writer finished, and write it again",
        )
    )
