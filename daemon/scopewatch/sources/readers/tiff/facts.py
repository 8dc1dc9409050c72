"""Statements of a TIFF file about its pages: Micro-Manager, OME-XML, ImageJ, tifffile, plain tags.

Where several state a fact, the nearer to the camera ranks first, in that order.
"""

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import tifffile

from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts, Statement
from scopewatch.sources.readers.decode import DECODE_FAULTS
from scopewatch.sources.readers.embedded import biotek, keyence, metaseries, squid
from scopewatch.sources.readers.embedded.biotek import biotek_facts, is_biotek
from scopewatch.sources.readers.embedded.keyence import keyence_facts
from scopewatch.sources.readers.embedded.metaseries import is_metaseries, metaseries_facts
from scopewatch.sources.readers.embedded.squid import is_squid, squid_facts
from scopewatch.sources.readers.micromanager_metadata import load_tags, tag_facts
from scopewatch.sources.readers.ome.document import OmeFile, is_ome
from scopewatch.sources.readers.pixel_size import MICROMETRE, imagej_um, resolution_um
from scopewatch.sources.readers.planes import ReadLimits
from scopewatch.sources.readers.tiff import ifd
from scopewatch.sources.readers.tiff.chain import Chain
from scopewatch.sources.readers.tiff.documents import OmeDocuments
from scopewatch.sources.readers.tiff.ifd import Directory
from scopewatch.sources.readers.tiff.pages import Declared
from scopewatch.sources.readers.tiff.shaped import _size, read_shape
from scopewatch.sources.readers.tiff.tags import read_bytes
from scopewatch.sources.readers.timestamps import parse_time, time_facts

_SUMMARY_MARK = 2355492
_DAMAGE = (*DECODE_FAULTS, RecursionError)


class FileFacts:
    """The facts of the pages of one open file."""

    def __init__(
        self,
        file: BinaryIO,
        chain: Chain,
        path: Path,
        limits: ReadLimits,
        documents: OmeDocuments,
    ) -> None:
        self._file = file
        self._path = path
        self._chain = chain
        self._limits = limits
        self._summary = _read_summary(file, limits)
        first = chain.directories[0] if chain.directories else None
        self._description = self._text(first, ifd.DESCRIPTION)
        self._ome = OmeFile()
        self._imagej: dict[str, Any] = {}
        if is_ome(self._description):
            tags = first.tags if first is not None else {}
            by_micromanager = bool(self._summary) or ifd.MM_METADATA in tags
            self._ome = documents.read(path, self._description, utc=by_micromanager)
            if self._ome.endless and not self._may_be_endless(chain):
                self._ome = replace(self._ome, endless=0)
        elif self._description.startswith(("ImageJ=", "SCIFIO=")):
            self._imagej = self._read_imagej()
        self._shaped = read_shape(self._description, first)
        self._last: tuple[int, tuple[Statement, ...]] | None = None

    @property
    def trouble(self) -> str | None:
        """Why the metadata does not describe the pages; None where it does, or there is none."""
        return self._ome.trouble

    @property
    def stamp(self) -> tuple[object, ...]:
        """Everything that holds for all pages, to detect a change of it."""
        return hash(self._description), self._ome, self.declared

    @property
    def declared(self) -> Declared:
        """Number of planes that the metadata declares."""
        if self._ome.declared or self._ome.trouble:
            planes = self._ome.declared
            return Declared(
                planes=planes,
                grows=planes > 0,
                unknown=planes == 0,
                endless=self._ome.endless > 0,
            )
        planes = max(_size(self._imagej.get("images")), self._shaped.planes)
        return Declared(planes=min(planes, self._limits.max_planes) if planes > 1 else 0)

    def tags(self, directory: Directory) -> dict[str, Any] | None:
        """Return Micro-Manager's tags of a page; None where they are not complete (yet)."""
        tag = directory.tags.get(ifd.MM_METADATA)
        raw = read_bytes(self._file, tag, self._limits.max_text_bytes)
        return load_tags(raw.rstrip(b"\x00")) if raw else None

    def of(self, page: int, directory: Directory) -> tuple[Statement, ...]:
        """Return the statements about a plane; `directory` is its own, or the common one."""
        by_itself = self._by_itself(directory)
        parts: list[tuple[Origin, str, PlaneFacts]] = []
        if self._imagej:
            parts.append((Origin.SET, "ImageJ metadata", self._imagej_facts(page, directory)))
        if page < len(self._shaped.places):
            parts.append((Origin.SET, "tifffile shape", self._shaped.places[page]))
        if not parts:
            return (*self._ome.of(page), *by_itself)
        return (*self._ome.of(page), *_statements(parts), *by_itself)

    def _may_be_endless(self, chain: Chain) -> bool:
        """Return whether data after the declared planes may be planes of later time points.

        ome-writers gives its directories one pixel per micrometre, whatever the scale is. A
        thumbnail has another size.
        """
        first, last = chain.directories[0], chain.directories[-1]
        kinds = (ifd.WIDTH, ifd.HEIGHT, ifd.BITS, ifd.SAMPLES)
        alike = all(first.number(kind, 1) == last.number(kind, 1) for kind in kinds)
        unit = first.number(ifd.RESOLUTION_UNIT, 2)
        return alike and unit == MICROMETRE and self._resolution(first) == 1

    def _by_itself(self, directory: Directory) -> tuple[Statement, ...]:
        """Return the statements in a directory; it is read once for all planes that share it."""
        if self._last is not None and self._last[0] == directory.start:
            return self._last[1]
        tags = self.tags(directory)
        parts: list[tuple[Origin, str, PlaneFacts]] = []
        if tags is not None:
            parts.append((Origin.PLANE, "Micro-Manager tags", tag_facts(tags, self._summary)))
        parts.append(self._embedded(directory))
        plain = PlaneFacts(
            pixel_size_um=resolution_um(
                self._resolution(directory), directory.number(ifd.RESOLUTION_UNIT, 2)
            )
        ).over(time_facts(parse_time(self._text(directory, ifd.DATE_TIME))))
        parts.append((Origin.TAG, "TIFF tags", plain))
        statements = _statements(parts)
        self._last = directory.start, statements
        return statements

    def _embedded(self, directory: Directory) -> tuple[Origin, str, PlaneFacts]:
        """Return the facts about a page in the proprietary form of an instrument program."""
        text = self._text(directory, ifd.DESCRIPTION)
        if is_metaseries(text):
            return Origin.PLANE, metaseries.WHO, metaseries_facts(text)
        if is_biotek(text):
            facts = biotek_facts(text, directory.number(ifd.WIDTH, 0))
            return Origin.PLANE, biotek.WHO, facts
        if is_squid(text):
            return Origin.PLANE, squid.WHO, squid_facts(text)
        exif = directory.number(ifd.EXIF, 0)
        if exif:
            facts = keyence_facts(self._file, exif, self._chain.layout.order)
            return Origin.PLANE, keyence.WHO, facts
        return Origin.PLANE, "", NOTHING

    def _imagej_facts(self, page: int, directory: Directory) -> PlaneFacts:
        imagej = self._imagej
        info = imagej.get("Info")
        start = info.find("{") if isinstance(info, str) else -1
        tags = load_tags(info[start:]) if isinstance(info, str) and start >= 0 else None
        # The info belongs to the file: to one image, or to the first of a stack.
        alone = len(self._chain.directories) == 1 and self.declared.planes <= 1
        facts = tag_facts(tags, {}) if tags is not None and alone else NOTHING
        sizes = [_size(imagej.get(name)) for name in ("channels", "slices", "frames")]
        c, z, t = page % sizes[0], page // sizes[0] % sizes[1], page // (sizes[0] * sizes[1])
        stacked = PlaneFacts(
            time_point=t if sizes[2] > 1 else None,
            channel=f"channel{c}" if sizes[0] > 1 else None,
            z=z if sizes[1] > 1 else None,
            z_planes=sizes[1] if sizes[1] > 1 else None,
            pixel_size_um=imagej_um(self._resolution(directory), imagej.get("unit")),
        )
        return facts.over(stacked)

    def _read_imagej(self) -> dict[str, Any]:
        try:
            with tifffile.TiffFile(self._path) as file:
                return dict(file.imagej_metadata or {})
        except _DAMAGE:
            # The pixels may be fine without it; reading them will show that.
            return {}

    def _text(self, directory: Directory | None, code: int) -> str:
        tag = directory.tags.get(code) if directory is not None else None
        raw = read_bytes(self._file, tag, self._limits.max_text_bytes)
        raw = raw.rstrip(b"\x00 ")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode("cp1252", "replace")

    def _resolution(self, directory: Directory) -> float:
        raw = read_bytes(self._file, directory.tags.get(ifd.X_RESOLUTION), 8)
        if len(raw) != 8:
            return 0.0
        numerator, denominator = struct.unpack(f"{self._chain.layout.order}2I", raw)
        return float(numerator / denominator) if denominator else 0.0


def _read_summary(file: BinaryIO, limits: ReadLimits) -> dict[str, Any]:
    """Read the summary in the header of a Micro-Manager image stack (always little-endian)."""
    file.seek(32)
    head = file.read(8)
    if len(head) < 8:
        return {}
    mark, length = struct.unpack("<2I", head)
    if mark != _SUMMARY_MARK or length > limits.max_text_bytes:
        return {}
    return load_tags(file.read(length).rstrip(b"\x00")) or {}


def _statements(parts: list[tuple[Origin, str, PlaneFacts]]) -> tuple[Statement, ...]:
    return tuple(
        Statement(origin=origin, by=by, facts=facts)
        for origin, by, facts in parts
        if facts != NOTHING
    )
