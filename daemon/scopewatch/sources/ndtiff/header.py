"""Header of a TIFF of an NDTiff data set: its version, and the summary of the data set.

https://github.com/micro-manager/NDStorage, README: "Specification for NDTiff", and for NDTiff 1
"(DEPRECATED)". Versions 2 and 3 differ in the minor version that 3 has before the summary, and in
the folder `Full resolution` that 2 always has.
"""

import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.readers.micromanager_metadata import load_tags
from scopewatch.sources.readers.planes import ReadLimits
from scopewatch.sources.readers.tiff.header import Layout, read_layout

_NDTIFF_MARK, _SUMMARY_MARK, _INDEX_MAP_MARK = 483729, 2355492, 54773648
_HEAD = struct.Struct("<8I")
# Position of the mark of the summary, in numbers of 4 bytes after the TIFF header: NDTiff 3 has a
# minor version before it.
_SUMMARY_AT = {2: 2, 3: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Header of a TIFF of a data set."""

    layout: Layout
    summary: dict[str, Any]


class VersionError(FrameError):
    """The data set has a version of NDTiff that cannot be read."""


def read_head(file: BinaryIO, where: object, limits: ReadLimits) -> Head | None:
    """Read the header of NDTiff 2 or 3; None while it is incomplete.

    Raises
    ------
    VersionError
        When it is the header of another version.
    FrameError
        When the file is no TIFF of an NDTiff data set.
    """
    file.seek(0)
    if file.read(1) in (b"", b"\x00"):
        return None
    layout = read_layout(file, where)
    file.seek(8)
    raw = file.read(_HEAD.size)
    if len(raw) < _HEAD.size:
        return None
    numbers = _HEAD.unpack(raw)
    version = _version(numbers, str(where))
    if version is None or layout.order != "<":
        raise FrameError(
            complaint(
                "TIFF is not one of an NDTiff data set",
                where=where,
                do="point a source of kind `folder` at ordinary TIFF files",
            )
        )
    at = _SUMMARY_AT.get(version)
    if at is None:
        raise VersionError(
            complaint(
                "data set is of a version of NDTiff that cannot be read",
                where=where,
                expected="NDTiff 2 or 3",
                got=f"NDTiff {version or 'before 1'}",
                do="open it in Micro-Manager and save it as separate image files",
            )
        )
    file.seek(8 + 4 * (at + 2))
    summary = load_tags(file.read(min(numbers[at + 1], limits.max_text_bytes)))
    return None if summary is None else Head(layout=layout, summary=summary)


def _version(numbers: tuple[int, ...], name: str) -> int | None:
    """Return the major version by the numbers after the TIFF header; None for any other TIFF.

    The first stacks of Micro-Magellan have the header of Micro-Manager and no version.
    """
    if numbers[0] == _NDTIFF_MARK:
        at = _SUMMARY_AT.get(numbers[1])
        return numbers[1] if at is None or numbers[at] == _SUMMARY_MARK else None
    if numbers[0] == _INDEX_MAP_MARK and numbers[6] == _SUMMARY_MARK:
        if numbers[4] == _NDTIFF_MARK:
            return numbers[5]
        return 0 if "MagellanStack" in name else None
    return None
