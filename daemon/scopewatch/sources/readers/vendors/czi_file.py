"""CZI files of Zeiss (ZEN), read with czifile.

A file is a chain of segments: a header, a sub-block for each plane (or tile of one), attachments,
the metadata (XML) and a directory of the sub-blocks. The header points to directory and metadata
once the file is closed; before that the well of a scene is not known.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import czifile
import numpy as np
from numpy.typing import NDArray
from tifffile import FileHandle

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.base.facts import Origin, PlaneFacts
from scopewatch.sources.readers.planes import ReadLimits
from scopewatch.sources.readers.timestamps import parse_iso, time_facts
from scopewatch.sources.readers.vendors import zstd
from scopewatch.sources.readers.vendors.czi_metadata import (
    CziMetadata,
    fields_of_view,
    read_metadata,
)
from scopewatch.sources.readers.vendors.listing import (
    VendorFile,
    VendorPlane,
    VendorReader,
    refuse_dimensions,
    stated,
)

_BY = "CZI metadata"
_KNOWN = frozenset("XYCZTSM")
_COMPRESSED = {1: "JPEG", 2: "LZW", 4: "JPEG XR"}
_TAKEN = re.compile(r"<AcquisitionTime>([^<]{1,40})</AcquisitionTime>")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """A sub-block: its place, its index on each dimension, and (height, width)."""

    position: int
    at: Mapping[str, int]
    size_px: tuple[int, int]


def list_file(path: Path, limits: ReadLimits) -> VendorFile:
    """List the planes of a CZI."""
    with FileHandle(str(path)) as file:
        header = _segment(file, 0)
        if not isinstance(header, czifile.FileHeaderSegment):
            raise ValueError("no CZI header")
        if not header.directory_position or not header.metadata_position or header.update_pending:
            return VendorFile(unfinished="its program has not closed it")
        directory = _segment(file, header.directory_position)
        blocks = _blocks(directory.entries, path)
        metadata = _metadata(file, header.metadata_position, limits)
        places = fields_of_view(
            metadata, ((block.at.get("S"), block.at.get("M")) for block in blocks)
        )
        planes = []
        for block in blocks:
            facts = _plane_facts(file, block, metadata)
            place = places[block.at.get("S"), block.at.get("M")]
            of_set = place.over(PlaneFacts(pixel_size_um=metadata.pixel_size_um))
            parts = ((Origin.PLANE, "CZI sub-block", facts), (Origin.SET, _BY, of_set))
            planes.append(
                VendorPlane(
                    place=block.position,
                    fingerprint=f"{header.file_guid}:{block.position}",
                    size_px=block.size_px,
                    statements=stated(*parts),
                )
            )
    return VendorFile(planes=tuple(planes))


def read_pixels(path: Path, position: int) -> NDArray[Any]:
    """Read the pixels of the sub-block at a position in the file."""
    with FileHandle(str(path)) as file:
        block = _segment(file, position)
        entry = block.directory_entry
        shape, dtype = entry.stored_shape, np.dtype(entry.dtype)
        if entry.compression in (zstd.PLAIN, zstd.WITH_HEADER):
            size = int(np.prod(shape)) * np.dtype(dtype.base).itemsize
            raw = zstd.decompress(block.data(raw=True), entry.compression, size)
            pixels = raw.view(dtype.base)
        elif entry.compression == 0:
            pixels = block.data(resize=False)
        else:
            raise _compressed(path, entry.compression)
    height, width = _size_px(entry)
    grey: NDArray[Any] = pixels.reshape(height, width, -1)
    return grey[..., 0] if grey.shape[2] == 1 else grey


READER = VendorReader(list_file=list_file, read_pixels=read_pixels)


def _segment(file: FileHandle, position: int) -> Any:
    try:
        return czifile.Segment(file, position).data()
    except czifile.SegmentNotFoundError as error:
        raise ValueError(f"{error} at {position}") from error


def _blocks(entries: Sequence[Any], path: Path) -> list[_Block]:
    """Return the sub-blocks at full resolution, in the order in which they were written."""
    blocks: list[_Block] = []
    indices: dict[str, set[int]] = {}
    for entry in entries:
        dimensions = {each.dimension: each for each in entry.dimension_entries}
        coarser = any(each.stored_size != each.size for each in dimensions.values())
        if entry.pyramid_type or coarser:
            continue
        if entry.file_part:
            raise ValueError("its planes lie in several files")
        at = {name: each.start for name, each in dimensions.items() if name not in "XY"}
        if any(dimensions[name].size > 1 for name in at):
            raise ValueError("a sub-block holds several planes")
        for name, index in at.items():
            indices.setdefault(name, set()).add(index)
        blocks.append(_Block(position=entry.file_position, at=at, size_px=_size_px(entry)))
    others = {name: len(found) for name, found in indices.items() if name not in _KNOWN}
    refuse_dimensions(others, path)
    return sorted(blocks, key=lambda block: block.position)


def _size_px(entry: Any) -> tuple[int, int]:
    sizes = {each.dimension: each.stored_size for each in entry.dimension_entries}
    return sizes.get("Y", 0), sizes.get("X", 0)


def _metadata(file: FileHandle, position: int, limits: ReadLimits) -> CziMetadata:
    segment = _segment(file, position)
    if segment.xml_size > limits.max_text_bytes:
        raise ValueError(f"metadata of {segment.xml_size} bytes")
    return read_metadata(segment.data(raw=True))


def _plane_facts(file: FileHandle, block: _Block, metadata: CziMetadata) -> PlaneFacts:
    at = block.at
    channel = at.get("C")
    name = metadata.channel(channel)
    facts = PlaneFacts(
        time_point=at.get("T"),
        channel=name or (f"channel{channel}" if channel else None),
        channel_code=f"C{channel}" if channel is not None else None,
        z=at.get("Z"),
    )
    taken = _TAKEN.search(_segment(file, block.position).metadata(raw=True))
    moment = parse_iso(taken[1]) if taken is not None else None
    if moment is None and not at.get("T"):
        moment = metadata.started_at  # that of the first time point only
    return facts.over(time_facts(moment))


def _compressed(path: Path, kind: int) -> FrameError:
    return FrameError(
        complaint(
            "image is compressed in an unsupported way",
            where=path,
            expected="no compression, or Zstandard",
            got=_COMPRESSED.get(kind, f"kind {kind}"),
            do="save it uncompressed, or export OME-TIFF",
        )
    )
