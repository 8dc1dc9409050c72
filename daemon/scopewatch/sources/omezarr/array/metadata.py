"""Reads the metadata of a Zarr array, v2 and v3, into a layout.

Only what is known to be safe is accepted: regular grids of 8- or 16-bit unsigned pixels, and the
codecs in this module. A codec of v2 may be `pickle`, which runs code.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.omezarr.array.layout import ArrayLayout, Packing
from scopewatch.sources.omezarr.nodes import Node, mapping
from scopewatch.sources.readers.planes import ReadLimits, check_size

_TYPES: Final = {"uint8": 1, "uint16": 2, "|u1": 1, "<u1": 1, ">u1": 1, "<u2": 2, ">u2": 2}
_COMPRESSORS: Final = frozenset({"blosc", "zstd", "gzip", "zlib", "lz4"})
_OF_SIZE: Final = frozenset({"bytes", "transpose", "delta", "shuffle"})
_CHECKSUM, _CHECKSUM_BYTES = "crc32c", 4
# Chunks of many planes are unpacked as a whole, and each chunk of a plane is one file to check.
_PLANES_AT_ONCE: Final = 4
_MAX_TILES: Final = 4096
_MAX_IN_SHARD: Final = 1_000_000


def read_layout(
    node: Node, axes: tuple[str, ...], where: object, limits: ReadLimits
) -> ArrayLayout:
    """Read the metadata of an array.

    Raises
    ------
    FrameError
        When its layout or compression is not supported, or it is too large.
    """
    layout = (_read_v3 if node.zarr_format == 3 else _read_v2)(node.document, axes, where)
    for axis, size in zip(axes, layout.shape, strict=True):
        if axis not in ("t", "c", "z", "y", "x") and size > 1:
            raise _refused(where, "axes t, c, z, y, x", f"{size} along {axis!r}")
    height, width = (layout.shape[axes.index(axis)] for axis in ("y", "x"))
    check_size(height, width, where, limits)
    if math.prod(layout.planes_shape) > limits.max_planes:
        raise _refused(where, f"at most {limits.max_planes} planes", layout.planes_shape)
    if layout.tiles > _MAX_TILES:
        raise _refused(where, f"at most {_MAX_TILES} chunks in a plane", layout.chunk)
    if math.prod(layout.chunks_per_file) > _MAX_IN_SHARD:
        raise _refused(where, f"at most {_MAX_IN_SHARD} chunks in a shard", layout.file_chunk)
    if math.prod(layout.chunk) > _PLANES_AT_ONCE * limits.max_pixels:
        raise _refused(where, "chunks of a few planes", f"chunks of shape {layout.chunk}")
    return layout


def _read_v3(document: Mapping[str, Any], axes: tuple[str, ...], where: object) -> ArrayLayout:
    grid = mapping(document.get("chunk_grid"))
    if grid.get("name") != "regular" or document.get("storage_transformers"):
        raise _refused(where, "a regular grid of chunks", grid.get("name"))
    shape = _sizes(document.get("shape"), axes, where)
    outer = _steps(mapping(grid.get("configuration")).get("chunk_shape"), axes, where)
    keys = mapping(document.get("chunk_key_encoding"))
    default = keys.get("name") == "default"
    if not default and keys.get("name") != "v2":
        raise _refused(where, "chunk keys of the kind default or v2", keys.get("name"))
    separator = mapping(keys.get("configuration")).get("separator", "/" if default else ".")
    codecs = _codecs(document.get("codecs"), where)
    chunk, index_at_end, index_checksum = outer, None, False
    if codecs and codecs[0][0] == "sharding_indexed":
        shard = codecs[0][1]
        chunk = _steps(shard.get("chunk_shape"), axes, where)
        if any(a % b for a, b in zip(outer, chunk, strict=True)) or len(codecs) > 1:
            raise _refused(where, "shards of whole chunks", shard.get("chunk_shape"))
        index_codecs = [name for name, _ in _codecs(shard.get("index_codecs"), where)]
        if index_codecs not in (["bytes"], ["bytes", _CHECKSUM]):
            raise _refused(where, "an index of the shard that is not compressed", index_codecs)
        index_checksum = len(index_codecs) > 1
        index_at_end = shard.get("index_location", "end") != "start"
        codecs = _codecs(shard.get("codecs"), where)
    names = [name.removeprefix("numcodecs.") for name, _ in codecs]
    itemsize = _itemsize(document.get("data_type"), where)
    return ArrayLayout(
        document={**document, "attributes": {}},
        axes=axes,
        shape=shape,
        file_chunk=outer,
        chunk=chunk,
        itemsize=itemsize,
        prefix="c" if default else "",
        separator=_separator(separator, where),
        packing=_packing(names, where),
        fill_value=_fill(document.get("fill_value"), itemsize),
        index_at_end=index_at_end,
        index_checksum=index_checksum,
    )


def _read_v2(document: Mapping[str, Any], axes: tuple[str, ...], where: object) -> ArrayLayout:
    chunk = _steps(document.get("chunks"), axes, where)
    filters = document.get("filters") or []
    compressor = document.get("compressor")
    steps = [*filters, compressor] if isinstance(filters, list) else [filters]
    names = [str(mapping(step).get("id")) for step in steps if step is not None]
    itemsize = _itemsize(document.get("dtype"), where)
    return ArrayLayout(
        document={**document, "attributes": {}},
        axes=axes,
        shape=_sizes(document.get("shape"), axes, where),
        file_chunk=chunk,
        chunk=chunk,
        itemsize=itemsize,
        prefix="",
        separator=_separator(document.get("dimension_separator", "."), where),
        packing=_packing(names, where),
        fill_value=_fill(document.get("fill_value"), itemsize),
    )


def _codecs(value: object, where: object) -> list[tuple[str, Mapping[str, Any]]]:
    codecs = []
    for each in value if isinstance(value, list) else [value]:
        name = mapping(each).get("name")
        if not isinstance(name, str):
            raise _refused(where, "codecs with a name", "none")
        codecs.append((name, mapping(mapping(each).get("configuration"))))
    return codecs


def _packing(names: list[str], where: object) -> Packing:
    compressor, checksums = None, 0
    for name in names:
        if name in _COMPRESSORS and compressor is None and not checksums:
            compressor = name
        elif name == _CHECKSUM:
            checksums += _CHECKSUM_BYTES
        elif name not in _OF_SIZE or compressor is not None:
            known = ", ".join(sorted(_COMPRESSORS))
            raise _refused(where, f"no compressor, or one of {known}", ", ".join(names))
    return Packing(compressor=compressor, checksums=checksums)


def _sizes(value: object, axes: tuple[str, ...], where: object) -> tuple[int, ...]:
    fits = isinstance(value, list) and len(value) == len(axes)
    if not isinstance(value, list) or not fits:
        raise _refused(where, f"{len(axes)} dimensions, as the image has axes", value)
    if not all(type(each) is int and 0 <= each < 2**40 for each in value):
        raise _refused(where, "whole numbers", value)
    return tuple(value)


def _steps(value: object, axes: tuple[str, ...], where: object) -> tuple[int, ...]:
    steps = _sizes(value, axes, where)
    if 0 in steps:
        raise _refused(where, "chunks of at least one pixel", value)
    return steps


def _itemsize(name: object, where: object) -> int:
    size = _TYPES.get(name) if isinstance(name, str) else None
    if size is None:
        raise _refused(where, "8- or 16-bit unsigned pixels", name)
    return size


def _separator(value: object, where: object) -> str:
    if value not in ("/", "."):
        raise _refused(where, "a separator / or . of chunk keys", value)
    return str(value)


def _fill(value: object, itemsize: int) -> int:
    return value if type(value) is int and 0 <= value < 256**itemsize else 0


def _refused(where: object, expected: str, got: object) -> FrameError:
    return FrameError(
        complaint(
            "Zarr array has an unsupported layout",
            where=where,
            expected=expected,
            got=got,
            do="export it as OME-Zarr with chunks of one plane",
        )
    )
