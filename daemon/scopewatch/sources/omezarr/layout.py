"""How an OME-Zarr array lies on disk: which chunks planes are in, and which files chunks are in."""

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
        None for bytes as they are.
    checksums
        Bytes that follow the pixels or the compressed block.
    """

    compressor: str | None
    checksums: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayLayout:
    """An array as it lies on disk.

    Parameters
    ----------
    document
        Its metadata file, for zarr.
    axes
        As `ImageMetadata.axes`.
    file_chunk
        Shape of what one file holds: a chunk, or a shard of many.
    chunk
        Shape of what is packed as one.
    prefix, separator
        Of the files' names: `c/0/1/0/0`, `0.1.0.0`.
    index_at_end, index_checksum
        Where the index of a shard is, and whether its CRC-32C follows it; None: no shards.
    plane_dims
        Numbers of the dimensions on which planes lie.
    planes_shape
        Number of planes along each of those dimensions, by the metadata.
    planes_per_chunk
        How many planes are packed as one.
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
        # Asked for each chunk of a hundred thousand.
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
    def tiles(self) -> int:
        """Over how many chunks a plane is spread."""
        spread = (dim for dim, axis in enumerate(self.axes) if axis in ("y", "x"))
        return math.prod(-(-self.shape[dim] // self.chunk[dim]) for dim in spread)

    @property
    def chunk_bytes(self) -> int:
        """Bytes of a chunk when it is not packed."""
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
        """Tell whether this is the same array, of which only the number of planes may differ."""
        spread = [dim for dim, axis in enumerate(self.axes) if axis in ("y", "x")]
        return (
            len(self.shape) == len(other.shape)
            and all(self.shape[dim] == other.shape[dim] for dim in spread)
            and replace(self, document={}, shape=()) == replace(other, document={}, shape=())
        )

    def file_group(self, plane: PlaneIndex) -> Coordinates:
        """Return which files a plane lies in, along the dimensions of planes."""
        steps = (self.file_chunk[dim] for dim in self.plane_dims)
        return tuple(at // step for at, step in zip(plane, steps, strict=True))

    def unit(self, plane: PlaneIndex) -> Coordinates:
        """Return which chunk a plane lies in, along the dimensions of planes."""
        steps = (self.chunk[dim] for dim in self.plane_dims)
        return tuple(at // step for at, step in zip(plane, steps, strict=True))

    def files(self, group: Coordinates) -> list[Coordinates]:
        """Return all files, by their coordinates, over which planes of a group are spread."""
        return self._tiles(group, self.file_chunk)

    def chunks(self, unit: Coordinates) -> list[Coordinates]:
        """Return all chunks, by their coordinates, over which planes of a unit are spread."""
        return self._tiles(unit, self.chunk)

    def _tiles(self, at: Coordinates, step: tuple[int, ...]) -> list[Coordinates]:
        ranges: list[Sequence[int]] = []
        rest = iter(at)
        for dim, axis in enumerate(self.axes):
            spread = axis in ("y", "x")
            ranges.append(range(-(-self.shape[dim] // step[dim])) if spread else (next(rest),))
        return list(product(*ranges))

    def units_of(self, group: Coordinates) -> list[Coordinates]:
        """Return the units, in their order, that lie in the files of a group."""
        per_file = self.chunks_per_file
        counts = [per_file[dim] for dim in self.plane_dims]
        ranges = [range(at * n, (at + 1) * n) for at, n in zip(group, counts, strict=True)]
        return list(product(*ranges))

    def planes_of(self, unit: Coordinates) -> list[PlaneIndex]:
        """Return the planes, in their order, that are packed in a unit."""
        counts = [self.chunk[dim] for dim in self.plane_dims]
        ranges = [range(at * n, (at + 1) * n) for at, n in zip(unit, counts, strict=True)]
        return list(product(*ranges))

    def name(self, file: Coordinates) -> str:
        """Return the path of a file below the folder of the array."""
        parts = [str(each) for each in file]
        return self.separator.join([self.prefix, *parts] if self.prefix else parts)
