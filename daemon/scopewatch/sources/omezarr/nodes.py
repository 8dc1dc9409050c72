"""Metadata files of a Zarr hierarchy: `zarr.json` (v3), `.zgroup`, `.zarray`, `.zattrs` (v2).

Consolidated metadata is not used: it repeats what is beside the data, and is older while a store
grows.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.base.address import is_text
from scopewatch.sources.layouts.candidates import is_store_name
from scopewatch.sources.readers.planes import ReadLimits

V3 = "zarr.json"
_V2_GROUP, _V2_ARRAY, _V2_ATTRIBUTES = ".zgroup", ".zarray", ".zattrs"
# One of them lies in the root of a hierarchy.
ROOT_FILES = (V3, _V2_GROUP, _V2_ARRAY)
METADATA_FILES = (V3, _V2_GROUP, _V2_ARRAY, _V2_ATTRIBUTES)
Signature = tuple[tuple[str, int, int, int], ...]
_EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A group or an array of a Zarr hierarchy.

    Parameters
    ----------
    document
        Metadata of an array, as in the file; empty for a group.
    zarr_format
        2 or 3.
    """

    is_array: bool
    zarr_format: int
    attributes: Mapping[str, Any]
    document: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)

    @property
    def ome(self) -> Mapping[str, Any]:
        """The OME metadata: under `ome` since 0.5, the attributes themselves before."""
        return mapping(self.attributes.get("ome")) or self.attributes


def is_store(folder: Path) -> bool:
    """Return whether a folder is the root of a Zarr hierarchy, by its name or its metadata."""
    if is_store_name(folder.name):
        return True
    return any((folder / name).is_file() for name in ROOT_FILES)


def read_node(folder: Path, limits: ReadLimits) -> Node | None:
    """Read the metadata of a group or an array; None while it is missing or incomplete.

    Writers write some of these files in place, so that a reader may see half of one.

    Raises
    ------
    FrameError
        When a file is larger than the limits allow.
    OSError
        When it cannot be read.
    """
    document = _read(folder / V3, limits)
    if document is not None:
        if document.get("zarr_format") != 3:
            return None
        is_array = document.get("node_type") == "array"
        return Node(
            is_array=is_array,
            zarr_format=3,
            attributes=mapping(document.get("attributes")),
            document=document if is_array else _EMPTY,
        )
    if (folder / V3).exists():
        return None  # half written: older v2 metadata beside it are not used instead
    array = _read(folder / _V2_ARRAY, limits)
    if array is None and _read(folder / _V2_GROUP, limits) is None:
        return None
    return Node(
        is_array=array is not None,
        zarr_format=2,
        attributes=_read(folder / _V2_ATTRIBUTES, limits) or _EMPTY,
        document=array or _EMPTY,
    )


def signature(folder: Path) -> Signature:
    """Return something that changes when the metadata of a node is written; quick."""
    found = []
    for name in METADATA_FILES:
        try:
            state = (folder / name).stat()
        except OSError:
            continue
        found.append((name, state.st_size, state.st_mtime_ns, state.st_ino))
        if name == V3:
            break
    return tuple(found)


def safe_path(path: object) -> str | None:
    """Return a metadata path that stays within its group; None for any other.

    >>> safe_path("A/1"), safe_path("../../etc")
    ('A/1', None)
    """
    if not isinstance(path, str) or len(path) > 1000 or not is_text(path):
        return None
    parts = path.strip("/").split("/")
    fit = all(part and part not in (".", "..") and not set(part) & set("\\:\0") for part in parts)
    return "/".join(parts) if fit else None


def mapping(value: object) -> Mapping[str, Any]:
    """Return a JSON object, empty where the value is none."""
    return value if isinstance(value, dict) else _EMPTY


def objects(value: object) -> list[Mapping[str, Any]]:
    """Return the JSON objects of a list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _read(path: Path, limits: ReadLimits) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > limits.max_text_bytes:
                raise FrameError(
                    complaint(
                        "metadata of the Zarr store is too long",
                        where=path,
                        expected=f"at most {limits.max_text_bytes} bytes",
                        do="raise `limits.max_text_bytes`",
                    )
                )
            text = file.read(size)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
