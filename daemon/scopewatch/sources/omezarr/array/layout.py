"""Layout of an OME-Zarr array on disk: which chunks hold a plane, and which files hold a chunk."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from scopewatch.sources.omezarr.image import PlaneIndex

Coordinates = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """How the bytes of a chunk are packed.

    Parameters
    ----------
    compressor
        None for uncompressed bytes.
    checksums
        Number of bytes that follow the pixels or the compressed block.
    """

    compressor: str | None
    checksums: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayLayout:
    """An array on disk.

    Parameters
    ----------
    document
        Its metadata file, for zarr.
    axes
        As `ImageMetadata.axes`.
    file_chunk
        Shape of the content of one file: a chunk, or a shard of many.
    chunk
        Shape of one packed block.
    prefix, separator
        Parts of the file names: `c/0/1/0/0`, `0.1.0.0`.
    index_at_end, index_checksum
        Whether the index of a shard is at its end, and its CRC-32C after it; None: no shards.
    plane_dims
        Numbers of the dimensions that number the planes.
    planes_shape
        Number of planes along each of those dimensions, by the metadata.
    planes_per_chunk
        How many planes are packed together.
    """

    document: Mapping[str, Any]
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    file_chunk: tuple[int, ...]
    chunk: tuple[int, ...]
    itemsize: int
    prefix: str
    separator: str
    packing: Packing
    fill_value: int
    index_at_end: bool | None = None
    index_checksum: bool = False
    plane_dims: tuple[int, ...] = field(init=False)
    planes_shape: tuple[int, ...] = field(init=False)
    planes_per_chunk: int = field(init=False)

    def __post_init__(self) -> None:
        # Computed once: it is used for each of a hundred thousand chunks.
        dims = tuple(dim for dim, axis in enumerate(self.axes) if axis not in ("y", "x"))
        planes_shape = tuple(self.shape[dim] for dim in dims) if self.shape else ()
        object.__setattr__(self, "plane_dims", dims)
        object.__setattr__(self, "planes_shape", planes_shape)
        object.__setattr__(self, "planes_per_chunk", math.prod(self.chunk[dim] for dim in dims))

    @property
    def size_px(self) -> tuple[int, int]:
        """Height and width of a plane."""
        return self.shape[self.axes.index("y")], self.shape[self.axes.index("x")]

    @property
    def z_planes(self) -> int:
        """Length of the axis z; 1 without one."""
        return self.shape[self.axes.index("z")] if "z" in self.axes else 1

    @property
    def tiles(self) -> int:
        """Number of chunks of a plane."""
        spread = (dim for dim, axis in enumerate(self.axes) if axis in ("y", "x"))
        return math.prod(-(-self.shape[dim] // self.chunk[dim]) for dim in spread)

    @property
    def chunk_bytes(self) -> int:
        """Bytes of an unpacked chunk."""
        return math.prod(self.chunk) * self.itemsize

    @property
    def is_sharded(self) -> bool:
        """Whether a file holds many chunks and an index of them."""
        return self.index_at_end is not None

    @property
    def chunks_per_file(self) -> tuple[int, ...]:
        """Number of chunks in a file along each dimension."""
        return tuple(a // b for a, b in zip(self.file_chunk, self.chunk, strict=True))

    def continues(self, other: "ArrayLayout") -> bool:
        """Return whether this is the same array, except for the number of planes."""
        spread = [dim for dim, axis in enumerate(self.axes) if axis in ("y", "x")]
        return (
            len(self.shape) == len(other.shape)
            and all(self.shape[dim] == other.shape[dim] for dim in spread)
            and replace(self, document={}, shape=()) == replace(other, document={}, shape=())
        )

    def file_group(self, plane: PlaneIndex) -> Coordinates:
        """Return the files that hold a plane, along the dimensions of planes."""
        steps = (self.file_chunk[dim] for dim in self.plane_dims)
        return tuple(at // step for at, step in zip(plane, steps, strict=True))

    def unit(self, plane: PlaneIndex) -> Coordinates:
        """Return the chunk that holds a plane, along the dimensions of planes."""
        steps = (self.chunk[dim] for dim in self.plane_dims)
        return tuple(at // step for at, step in zip(plane, steps, strict=True))

    def files(self, group: Coordinates) -> list[Coordinates]:
        """Return the coordinates of all files that hold planes of a group."""
        return self._tiles(group, self.file_chunk)

    def chunks(self, unit: Coordinates) -> list[Coordinates]:
        """Return the coordinates of all chunks that hold planes of a unit."""
        return self._tiles(unit, self.chunk)

    def _tiles(self, at: Coordinates, step: tuple[int, ...]) -> list[Coordinates]:
        ranges: list[Sequence[int]] = []
        rest = iter(at)
        for dim, axis in enumerate(self.axes):
            spread = axis in ("y", "x")
            ranges.append(range(-(-self.shape[dim] // step[dim])) if spread else (next(rest),))
        return list(product(*ranges))

    def units_of(self, group: Coordinates) -> list[Coordinates]:
        """Return the units in the files of a group, in their order."""
        per_file = self.chunks_per_file
        counts = [per_file[dim] for dim in self.plane_dims]
        ranges = [range(at * n, (at + 1) * n) for at, n in zip(group, counts, strict=True)]
        return list(product(*ranges))

    def planes_of(self, unit: Coordinates) -> list[PlaneIndex]:
        """Return the planes in a unit, in their order."""
        counts = [self.chunk[dim] for dim in self.plane_dims]
        ranges = [range(at * n, (at + 1) * n) for at, n in zip(unit, counts, strict=True)]
        return list(product(*ranges))

    def name(self, file: Coordinates) -> str:
        """Return the path of a file below the folder of the array."""
        parts = [str(each) for each in file]
        return self.separator.join([self.prefix, *parts] if self.prefix else parts)
