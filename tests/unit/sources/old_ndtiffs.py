"""NDTiff data sets of the versions 1 and 2, as Java code wrote them until 2022.

No released library writes them any more: they are made here from the specification
(https://github.com/micro-manager/NDStorage, README), and the tests have ndstorage read them.
"""

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = tuple[dict[str, Any], NDArray[np.uint16], dict[str, Any]]
_MARK, _SUMMARY, _MAP_AT, _MAP = 483729, 2355492, 54773648, 3453623


def write_version_2(folder: Path, images: Sequence[Image], summary: dict[str, Any]) -> Path:
    """Write (axes, pixels, tags) of a data set; return the folder of its full resolution."""
    level = folder / "Full resolution"
    level.mkdir(parents=True)
    name = f"{folder.name}_NDTiffStack.tif"
    text = json.dumps(summary).encode()
    start = _even(24 + len(text))
    data = struct.pack("<2sH5I", b"II", 42, start, _MARK, 2, _SUMMARY, len(text)) + text
    index = b""
    for number, (axes, pixels, tags) in enumerate(images):
        data = data.ljust(_even(len(data)), b"\0")
        block, pixels_at, tags_at = _image(
            len(data),
            pixels,
            json.dumps({"Axes": axes, **tags}).encode(),
            last=number + 1 == len(images),
        )
        data += block
        for part in (json.dumps(axes).encode(), name.encode()):
            index += struct.pack("<I", len(part)) + part
        height, width = pixels.shape
        index += struct.pack("<8I", pixels_at, width, height, 1, 0, tags_at, len(data) - tags_at, 0)
    (level / name).write_bytes(data)
    (level / "NDTiff.index").write_bytes(index)
    return level


def write_version_1(folder: Path, pixels: NDArray[np.uint16], stack: str = "NDTiffStack") -> Path:
    """Write a data set of one image; return the folder of its full resolution."""
    level = folder / "Full resolution"
    level.mkdir(parents=True)
    height, width = pixels.shape
    summary = {"PixelType": "GRAY16", "Width": width, "Height": height, "PixelSize_um": 1}
    text = json.dumps(summary).encode()
    start = _even(40 + len(text) + 8 + 20)
    head = struct.pack(
        *("<2sH9I", b"II", 42, start, _MAP_AT, 40 + len(text)),
        *(483765892, 0, _MARK, 1, _SUMMARY, len(text)),
    )
    head += text + struct.pack("<2I4iI", _MAP, 1, 0, 0, 0, 0, start)
    head = head.ljust(start, b"\0")
    tags = {"Axes": {"time": 0, "channel": 0}, "Channel": "phase"}
    block, _, _ = _image(start, pixels, json.dumps(tags).encode(), last=True, version=1)
    (level / f"{folder.name}_{stack}.tif").write_bytes(head + block + bytes(8))
    return level


def _image(
    start: int, pixels: NDArray[np.uint16], text: bytes, *, last: bool, version: int = 2
) -> tuple[bytes, int, int]:
    """Return a directory with its image, and the places of the pixels and the tags."""
    height, width = pixels.shape
    raw = pixels.astype("<u2").tobytes()
    behind = start + 2 + 13 * 12 + 4
    pixels_at = behind if version == 1 else behind + 16
    resolution_at = behind + len(raw) if version == 1 else behind
    text_at = behind + 16 + len(raw)
    entries = [
        *((256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1)),
        *((273, 4, 1, pixels_at), (277, 3, 1, 1), (278, 3, 1, height), (279, 4, 1, len(raw))),
        *((282, 5, 1, resolution_at), (283, 5, 1, resolution_at + 8), (296, 3, 1, 3)),
        (51123, 2, len(text), text_at),
    ]
    block = struct.pack("<H", 13) + b"".join(struct.pack("<2H2I", *each) for each in entries)
    block += struct.pack("<I", 0 if last else _even(text_at + len(text)))
    resolution = struct.pack("<4I", 1, 1, 1, 1)
    block += raw + resolution if version == 1 else resolution + raw
    return block + text, pixels_at, text_at


def _even(number: int) -> int:
    return number + number % 2
