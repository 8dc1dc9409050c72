"""CZI files made from the description of the format, as czifile and libCZI read it.

`data` holds real ones, written by libCZI (Zeiss); that library writes neither wells nor times.
"""

import struct
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

GUID = uuid.UUID(int=7)
_PIXEL_TYPES = {("u1", 1): 0, ("u2", 1): 1, ("f4", 1): 2, ("u1", 3): 3}


@dataclass(frozen=True, kw_only=True)
class Block:
    """A sub-block: its index on each dimension (`T`, `C`, `S`, `M`, `Z`), and its pixels.

    `stored` is the reduced size in a pyramid: (height, width).
    """

    at: Mapping[str, int]
    pixels: NDArray[Any]
    taken: str = ""
    compression: int = 0
    data: bytes | None = None
    replaces: tuple[int, int] | None = None


def scene(index: int, name: str, *, well: str = "", row: int = 0, column: int = 0) -> str:
    """Return the XML of a scene, as ZEN writes it."""
    array = f"<ArrayName>{well}</ArrayName>" if well else ""
    shape = (
        f"<Shape><RowIndex>{row}</RowIndex><ColumnIndex>{column}</ColumnIndex></Shape>"
        if row
        else ""
    )
    return f'<Scene Index="{index}" Name="{name}">{array}{shape}</Scene>'


def metadata(
    scenes: Sequence[str] = (), channels: Sequence[str] = ("Phase",), um_per_px: float = 1.3
) -> str:
    """Return the metadata XML."""
    named = "".join(
        f'<Channel Id="Channel:{index}" Name="{name}"/>' for index, name in enumerate(channels)
    )
    return (
        "<ImageDocument><Metadata><Information><Image>"
        "<AcquisitionDateAndTime>2026-03-01T09:00:00.1234567Z</AcquisitionDateAndTime>"
        f"<Dimensions><Channels>{named}</Channels>"
        f"<S><Scenes>{''.join(scenes)}</Scenes></S></Dimensions></Image></Information>"
        f'<Scaling><Items><Distance Id="X"><Value>{um_per_px * 1e-6}</Value></Distance>'
        "</Items></Scaling></Metadata></ImageDocument>"
    )


def write_czi(path: Path, blocks: Sequence[Block], xml: str = "", *, closed: bool = True) -> Path:
    """Write a CZI; one that is not closed has neither metadata nor directory."""
    data = bytearray(_segment(b"ZISRAWFILE", bytes(512)))
    entries = []
    for block in blocks:
        entry = _entry(block, len(data))
        entries.append(entry)
        raw = block.pixels.tobytes() if block.data is None else block.data
        tags = f"<Tags><AcquisitionTime>{block.taken}</AcquisitionTime></Tags>"
        text = f"<METADATA>{tags}</METADATA>" if block.taken else ""
        head = struct.pack("<iiq", len(text), 0, len(raw)) + entry
        head += bytes(max(0, 240 - len(entry)))
        data += _segment(b"ZISRAWSUBBLOCK", head + text.encode() + raw)
    directory = described = 0
    if closed:
        described = len(data)
        text = xml or metadata()
        data += _segment(b"ZISRAWMETADATA", struct.pack("<ii248x", len(text), 0) + text.encode())
        directory = len(data)
        listed = struct.pack("<i124x", len(entries)) + b"".join(entries)
        data += _segment(b"ZISRAWDIRECTORY", listed)
    header = struct.pack(
        "<iiii16s16siqqiq", 1, 0, 0, 0, GUID.bytes, GUID.bytes, 0, directory, described, 0, 0
    )
    data[32 : 32 + len(header)] = header
    path.write_bytes(data)
    return path


def _segment(name: bytes, data: bytes) -> bytes:
    padded = data + bytes(-len(data) % 32)
    return struct.pack("<16sqq", name, len(padded), len(data)) + padded


def _entry(block: Block, position: int) -> bytes:
    height, width = block.pixels.shape[:2]
    samples = block.pixels.shape[2] if block.pixels.ndim == 3 else 1
    kind = _PIXEL_TYPES[block.pixels.dtype.str[1:], samples]
    tall, wide = block.replaces or (height, width)
    dimensions = [(b"X", 0, wide, width), (b"Y", 0, tall, height)]
    dimensions += [(name.encode(), at, 1, 1) for name, at in block.at.items()]
    entry = struct.pack(
        "<2siqiiBB4si", b"DV", kind, position, 0, block.compression,
        int(block.replaces is not None), 0, b"", len(dimensions),
    )  # fmt: skip
    for name, start, size, stored in dimensions:
        entry += struct.pack("<4siifi", name, start, size, 0.0, stored)
    return entry


def grey(seed: int) -> NDArray[np.uint16]:
    """Return some camera counts, 24 x 32; those of the files in `data` too."""
    rng = np.random.default_rng(seed)
    return rng.integers(100, 4000, (24, 32)).astype(np.uint16)
