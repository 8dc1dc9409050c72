"""Checks by their files whether the chunks of a plane are complete on disk.

A missing chunk is no black plane: zarr would return its fill value. A file under its final name
may still be too short, since copy programs and some writers fill it in place.
"""

import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from scopewatch.sources.omezarr.array.layout import ArrayLayout, Coordinates
from scopewatch.sources.omezarr.array.packed import is_plausible

SAMPLE_BYTES = 4096
_ENTRY_BYTES, _CRC_BYTES = 16, 4
_NOTHING = 2**64 - 1
# A chunk packed to fewer bytes, or to a smaller share of its pixels, may hold one value only.
_SMALL_BYTES, _SPARSE, _GLIMPSE_BYTES = 512, 50, 32
FileState = tuple[int, int, int]
GroupState = tuple[FileState | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Place of the bytes of a chunk."""

    path: Path
    start: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitState:
    """State of the planes that are packed together, by their files.

    Parameters
    ----------
    extents
        Places of its chunks, as far as they exist.
    fingerprint
        Changes when the content changes; '' while it is incomplete.
    missing
        True where no chunk of it exists.
    why
        Why it is incomplete, in a few words; '' where it is complete, or missing.
    ends_in_zeros
        A chunk ends in zeros, like a file whose size was set before its content.
    may_be_blank
        Every chunk ends in the fill value, in zeros, or is packed very small.
    """

    extents: tuple[Extent, ...] = ()
    fingerprint: str = ""
    missing: bool = False
    why: str = ""
    ends_in_zeros: bool = False
    may_be_blank: bool = False


class ChunkFiles:
    """The chunk files of one array.

    Parameters
    ----------
    folder
        Folder of the array.
    """

    def __init__(self, folder: Path, layout: ArrayLayout) -> None:
        self._folder = folder
        self._layout = layout
        self._index: tuple[Coordinates, FileState, NDArray[np.uint64] | None] | None = None

    def path(self, file: Coordinates) -> Path:
        """Return the path of a chunk file."""
        return self._folder / self._layout.name(file)

    def group_state(self, group: Coordinates) -> GroupState | None:
        """Return what changes when a file of a group is written; None where none exists."""
        states = tuple(_state(self.path(file)) for file in self._layout.files(group))
        return states if any(state is not None for state in states) else None

    def exists(self, unit: Coordinates) -> bool:
        """Return whether a unit exists, by its first chunk. Raises OSError."""
        return isinstance(self._extent(self._layout.chunks(unit)[0]), Extent)

    def unit_state(self, unit: Coordinates) -> UnitState:
        """Return the state of the chunks of a unit.

        Raises
        ------
        OSError
            When a file exists and cannot be read.
        """
        extents: list[Extent] = []
        crc, total, absent, zeros, blank = 0, 0, 0, False, True
        packing, fixed = self._layout.packing, self._layout.chunk_bytes
        for chunk in self._layout.chunks(unit):
            found = self._extent(chunk)
            if found is None:
                absent += 1
                continue
            if isinstance(found, str):
                return UnitState(why=found)
            if packing.compressor is None and found.size != fixed + packing.checksums:
                wanted = fixed + packing.checksums
                return UnitState(why=f"a chunk has {found.size} of {wanted} bytes")
            head, tail = _samples(found)
            if len(head) < min(found.size, SAMPLE_BYTES) or not tail:
                return UnitState(why="a chunk was truncated meanwhile")
            if not is_plausible(packing.compressor, head, found.size - packing.checksums, fixed):
                return UnitState(why="a compressed chunk is truncated, or declares another size")
            zeros = zeros or not tail.strip(b"\0")
            blank = blank and self._may_be_blank(found, tail)
            crc = zlib.crc32(tail, zlib.crc32(head, zlib.crc32(found.size.to_bytes(8), crc)))
            total += found.size
            extents.append(found)
        if absent:
            of = absent + len(extents)
            why = f"{absent} of {of} chunks are missing" if extents else ""
            return UnitState(why=why, missing=not extents)
        mark = f"{total:x}:{crc:08x}"
        return UnitState(
            extents=tuple(extents), fingerprint=mark, ends_in_zeros=zeros, may_be_blank=blank
        )

    def _may_be_blank(self, extent: Extent, tail: bytes) -> bool:
        layout = self._layout
        if layout.packing.compressor is not None:
            return extent.size <= _SMALL_BYTES or extent.size * _SPARSE < layout.chunk_bytes
        pixels = tail[: len(tail) - layout.packing.checksums]
        fill = layout.fill_value.to_bytes(layout.itemsize, "little")
        return not pixels.strip(b"\0") or set(pixels[-_GLIMPSE_BYTES:]) <= set(fill)

    def _extent(self, chunk: Coordinates) -> Extent | str | None:
        """Return the place of a chunk, None where it is missing, or why it is not known yet."""
        per_file = self._layout.chunks_per_file
        file = tuple(at // n for at, n in zip(chunk, per_file, strict=True))
        path = self.path(file)
        state = _state(path)
        if state is None:
            return None
        size = state[0]
        if not self._layout.is_sharded:
            return Extent(path=path, start=0, size=size) if size else "a chunk is empty"
        index = self._shard_index(file, path, state)
        if index is None:
            return "the index of a shard is not written yet"
        inner = tuple(at % n for at, n in zip(chunk, per_file, strict=True))
        entry = index[np.ravel_multi_index(inner, per_file)]
        start, length = int(entry[0]), int(entry[1])
        if _NOTHING in (start, length):
            return None
        if not length or start + length > size:
            return "a shard ends before a chunk that its index lists"
        return Extent(path=path, start=start, size=length)

    def _shard_index(
        self, file: Coordinates, path: Path, state: FileState
    ) -> NDArray[np.uint64] | None:
        if self._index is not None and self._index[:2] == (file, state):
            return self._index[2]
        with path.open("rb") as shard:
            index = _read_index(shard, self._layout)
        self._index = (file, state, index)
        return index


def _read_index(shard: BinaryIO, layout: ArrayLayout) -> NDArray[np.uint64] | None:
    """Read the index of a shard: (chunks, 2) start and length; None while it is incomplete."""
    chunks = int(np.prod(layout.chunks_per_file))
    length = chunks * _ENTRY_BYTES + layout.index_checksum * _CRC_BYTES
    size = os.fstat(shard.fileno()).st_size
    if size < length:
        return None
    shard.seek(size - length if layout.index_at_end else 0)
    data = shard.read(length)
    if len(data) < length:
        return None
    entries = data[: chunks * _ENTRY_BYTES]
    if layout.index_checksum:
        from google_crc32c import value  # noqa: PLC0415 - comes with zarr, an optional extra

        if int.from_bytes(data[-_CRC_BYTES:], "little") != value(entries):
            return None
    return np.frombuffer(entries, dtype="<u8").reshape(chunks, 2).astype(np.uint64)


def _state(path: Path) -> FileState | None:
    try:
        state = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return state.st_size, state.st_mtime_ns, state.st_ino


def _samples(extent: Extent) -> tuple[bytes, bytes]:
    """Return the first and the last bytes of a chunk."""
    with extent.path.open("rb") as file:
        file.seek(extent.start)
        head = file.read(min(extent.size, SAMPLE_BYTES))
        if extent.size > SAMPLE_BYTES:
            file.seek(extent.start + extent.size - SAMPLE_BYTES)
            return head, file.read(SAMPLE_BYTES)
    return head, head
