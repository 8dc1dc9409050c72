"""Vendor formats, and the library that reads each.

The libraries come with the extra `vendors`; each is imported when a file of its kind is opened.
Files are read once their program has closed them: before that their wells are not known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.readers.decode import as_grey, undecodable
from scopewatch.sources.readers.planes import (
    Contents,
    Plane,
    PlaneEntry,
    ReadLimits,
    check_size,
)
from scopewatch.sources.readers.vendors.listing import (
    FAULTS,
    VendorFile,
    VendorReader,
    refuse_too_many,
)

# Files whose planes are cached, so that a file of ten thousand planes is not listed for each.
_KEPT = 4


def _czi() -> VendorReader:
    from scopewatch.sources.readers.vendors import czi_file  # noqa: PLC0415

    return czi_file.READER


def _lif() -> VendorReader:
    from scopewatch.sources.readers.vendors import lif_file  # noqa: PLC0415

    return lif_file.READER


def _nd2() -> VendorReader:
    from scopewatch.sources.readers.vendors import nd2_file  # noqa: PLC0415

    return nd2_file.READER


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A vendor format.

    Parameters
    ----------
    name
        Name of the format, for people.
    library
        The package that reads it.
    reader
        Imports the reader.
    """

    name: str
    library: str
    reader: Callable[[], VendorReader]


KINDS = MappingProxyType(
    {
        ".czi": Kind(name="CZI (Zeiss)", library="czifile", reader=_czi),
        ".lif": Kind(name="LIF (Leica)", library="liffile", reader=_lif),
        ".nd2": Kind(name="ND2 (Nikon)", library="nd2", reader=_nd2),
    }
)


def is_vendor_name(name: str) -> bool:
    """Return whether a file has one of these formats, by its suffix."""
    return Path(name).suffix.lower() in KINDS


def refuse_without_library(path: Path) -> None:
    """Refuse a file whose library is not installed.

    Raises
    ------
    FrameError
        With the command that installs it.
    """
    kind = KINDS[path.suffix.lower()]
    if find_spec(kind.library) is None:
        raise FrameError(
            complaint(
                "image file needs an extra that is not installed",
                where=path,
                expected=f"{kind.name} read by {kind.library}",
                got="no such package",
                do="pip install scopewatch[vendors], then start again; or export OME-TIFF",
            )
        )


def list_vendor_planes(path: Path, limits: ReadLimits) -> Contents:
    """List the planes of a file, without reading their pixels.

    Raises
    ------
    FrameError
        When its library is not installed, or it cannot be read.
    OSError
        When it does not exist.
    """
    file = _list(path, limits)
    refuse_too_many(len(file.planes), path, limits)
    return Contents(
        planes=tuple(
            PlaneEntry(
                page=page,
                fingerprint=plane.fingerprint,
                statements=plane.statements,
                size_px=plane.size_px,
            )
            for page, plane in enumerate(file.planes)
        ),
        unfinished=file.unfinished,
    )


def read_vendor_plane(path: Path, page: int, limits: ReadLimits) -> Plane:
    """Read one plane as 8- or 16-bit grey; nothing else of the file is read.

    Raises
    ------
    FrameError
        When it is missing, unreadable, in colour, of another pixel type, or beyond the limits.
    OSError
        When the file does not exist.
    """
    file = _list(path, limits)
    if page >= len(file.planes):
        raise undecodable(path, f"no plane {page} of {len(file.planes)}")
    plane = file.planes[page]
    check_size(*plane.size_px, path, limits)
    reader = KINDS[path.suffix.lower()].reader()
    try:
        pixels = reader.read_pixels(path, plane.place)
    except FAULTS as error:
        raise _fault(path, error) from error
    return Plane(pixels=as_grey(pixels, path), statements=plane.statements)


def _list(path: Path, limits: ReadLimits) -> VendorFile:
    refuse_without_library(path)
    state = path.stat()
    return _list_once(path, state.st_size, state.st_mtime_ns, limits)


@lru_cache(maxsize=_KEPT)
def _list_once(path: Path, _size: int, _mtime_ns: int, limits: ReadLimits) -> VendorFile:
    """List the planes of the present version of a file."""
    try:
        return KINDS[path.suffix.lower()].reader().list_file(path, limits)
    except FAULTS as error:
        raise _fault(path, error) from error


def _fault(path: Path, error: Exception) -> Exception:
    """Return the error to raise for a failure of a library; errors of the system stay unchanged."""
    if isinstance(error, OSError) and error.errno is not None:
        return error
    return undecodable(path, error)
