"""XML of Keyence's BZ-X after the pixels, to which the maker note of the EXIF points.

Tested with BZ-X files of analyser version 1.1.2 (`Bz4`). The calibration is a double, in nanometres
per pixel, written as the integer of the same 64 bits; the moment is .NET's `DateTime.ToBinary`.
"""

import struct
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from scopewatch.sources.base.facts import NOTHING, PlaneFacts
from scopewatch.sources.readers.pixel_size import calibrated_um
from scopewatch.sources.readers.safe_xml import XmlError, parse_xml

WHO = "Keyence XML"
_MAKER_NOTE = 37500
_MARK = b"KmsFile"
_PROPERTIES = 0x0800
_ENTRY = 12
_MOST_ENTRIES = 256
_MOST_BYTES = 4 * 1024 * 1024
_FIRST_YEAR = 1990
# .NET: the two highest bits give the kind of time in the others; local times hold UTC, too.
_TICKS = 0x3FFF_FFFF_FFFF_FFFF
_UTC_KINDS = (1, 2)


def keyence_facts(file: BinaryIO, exif_start: int, order: str) -> PlaneFacts:
    """Return the facts in the maker note of a file; `NOTHING` where it is damaged or not Keyence's.

    Parameters
    ----------
    exif_start
        Offset of the EXIF directory.
    order
        Byte order of the file, in the notation of `struct`.
    """
    note = _entry(file, exif_start, order, _MAKER_NOTE)
    if note is None:
        return NOTHING
    file.seek(note[0])
    if file.read(len(_MARK)) != _MARK:
        return NOTHING
    properties = _entry(file, note[0] + len(_MARK) + 1, order, _PROPERTIES)
    if properties is None:
        return NOTHING
    start, length = properties
    file.seek(start)
    raw = file.read(min(length, _MOST_BYTES))
    begin, end = raw.find(b"<?xml"), raw.find(b"</Data>")
    return _xml_facts(raw[begin : end + len(b"</Data>")]) if 0 <= begin < end else NOTHING


def _xml_facts(raw: bytes) -> PlaneFacts:
    try:
        root = parse_xml(raw.decode("utf-8", "replace"))
    except XmlError:
        return NOTHING
    calibration = _number(root.findtext(".//Image/Calibration"))
    return PlaneFacts(
        pixel_size_um=None if calibration is None else calibrated_um(_as_double(calibration), "nm"),
        acquired_at=_moment(_number(root.findtext(".//Image/ShootingDateTime"))),
    )


def _as_double(bits: int) -> float:
    return float(struct.unpack("<d", struct.pack("<q", bits))[0])


def _moment(binary: int | None) -> datetime | None:
    if binary is None or (binary >> 62) & 3 not in _UTC_KINDS:
        return None
    try:
        moment = datetime(1, 1, 1, tzinfo=UTC) + timedelta(microseconds=(binary & _TICKS) // 10)
    except OverflowError:
        return None
    return moment if moment.year >= _FIRST_YEAR else None


def _number(text: str | None) -> int | None:
    """Return a signed integer of 64 bits."""
    digits = (text or "").strip()
    if not digits.removeprefix("-").isdecimal() or len(digits) > 20:
        return None
    value = int(digits)
    return value if -(2**63) <= value < 2**63 else None


def _entry(file: BinaryIO, start: int, order: str, wanted: int) -> tuple[int, int] | None:
    """Return (offset, bytes) of an undefined-type entry of a classic TIFF directory."""
    file.seek(start)
    head = file.read(2)
    if len(head) < 2:
        return None
    (count,) = struct.unpack(f"{order}H", head)
    block = file.read(min(count, _MOST_ENTRIES) * _ENTRY)
    for at in range(0, len(block) - _ENTRY + 1, _ENTRY):
        code, _, length, offset = struct.unpack_from(f"{order}HHII", block, at)
        if code == wanted:
            return offset, length
    return None
