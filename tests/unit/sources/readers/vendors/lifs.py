"""LIF files made from the description of the format that liffile reads: no library writes them.

An XML that describes all images, then a block of pixels for each.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_DIMENSIONS = {"X": 1, "Y": 2, "Z": 3, "T": 4, "λ": 5, "M": 10}
# 2026-03-01 09:00:00 UTC in tenths of microseconds since 1601.
BEGAN = 116444736000000000 + 1772355600 * 10_000_000


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image: its path within the file and the lengths of its outer dimensions.

    `sizes` are outermost first; channels come between them and the rows. `stamps` are seconds
    after 09:00, one for each plane or time point.
    """

    path: str
    sizes: Mapping[str, int] = field(default_factory=dict)
    channels: Sequence[str] = ("Gray",)
    infos: str = ""
    stamps: Sequence[float] = ()
    um_per_px: float = 0.5

    @property
    def shape(self) -> tuple[int, ...]:
        """Bytes of its pixels, channels before rows."""
        return (*self.sizes.values(), len(self.channels), 24, 32)


def pixels_of(image: Image, index: int) -> NDArray[np.uint16]:
    """Return the camera counts of all planes of an image, the `index`th of its file."""
    rng = np.random.default_rng(index)
    return rng.integers(100, 4000, image.shape).astype(np.uint16)


def write_lif(path: Path, images: Sequence[Image], *, blocks: int | None = None) -> Path:
    """Write a LIF; with fewer blocks than images it is incomplete."""
    tree: dict[str, object] = {}
    for index, image in enumerate(images):
        folder = tree
        *above, name = image.path.split("/")
        for part in above:
            folder = folder.setdefault(part, {})  # type: ignore[assignment]
        folder[name] = (index, image)
    xml = (
        '<LMSDataContainerHeader Version="2"><Element Name="project" UniqueID="p"><Data/>'
        f'<Memory Size="0" MemoryBlockID="MemBlock_0"/><Children>{_elements(tree)}</Children>'
        "</Element></LMSDataContainerHeader>"
    )
    data = struct.pack("<IIBI", 0x70, 2 * len(xml) + 5, 0x2A, len(xml)) + xml.encode("utf-16-le")
    data += _block("MemBlock_0", b"")
    for index, image in enumerate(images[:blocks]):
        data += _block(f"MemBlock_{index + 1}", pixels_of(image, index).tobytes())
    path.write_bytes(data)
    return path


def _elements(tree: Mapping[str, object]) -> str:
    text = ""
    for name, inside in tree.items():
        if isinstance(inside, tuple):
            text += _element(name, *inside)
        elif isinstance(inside, dict):
            text += (
                f'<Element Name="{name}"><Data/><Children>{_elements(inside)}</Children></Element>'
            )
    return text


def _element(name: str, index: int, image: Image) -> str:
    plane = 24 * 32 * 2
    steps = {"X": (32, 2, 31 * image.um_per_px * 1e-6), "Y": (24, 64, 23 * image.um_per_px * 1e-6)}
    step = plane * len(image.channels)
    for axis, length in reversed(list(image.sizes.items())):
        steps[axis] = (length, step, 0.0)
        step *= length
    dimensions = "".join(
        f'<DimensionDescription DimID="{_DIMENSIONS[axis]}" NumberOfElements="{length}"'
        f' Origin="0" Length="{extent}" Unit="m" BitInc="0" BytesInc="{inc}"/>'
        for axis, (length, inc, extent) in steps.items()
    )
    channels = "".join(
        '<ChannelDescription DataType="0" ChannelTag="0" Resolution="12"'
        f' NameOfMeasuredQuantity="" Min="0" Max="4095" Unit="" LUTName="{lut}"'
        f' IsLUTInverted="0" BytesInc="{plane * number}" BitInc="0"/>'
        for number, lut in enumerate(image.channels)
    )
    stamps = " ".join(f"{BEGAN + int(each * 1e7):x}" for each in image.stamps)
    times = f"<TimeStampList>{stamps}</TimeStampList>" if stamps else ""
    size = int(np.prod(image.shape)) * 2
    return (
        f'<Element Name="{name}" UniqueID="u{index}"><Data><Image><ImageDescription><Channels>'
        f"{channels}</Channels><Dimensions>{dimensions}</Dimensions></ImageDescription>{times}"
        f'<Attachment Name="HardwareSetting">{image.infos}</Attachment></Image></Data>'
        f'<Memory Size="{size}" MemoryBlockID="MemBlock_{index + 1}"/></Element>'
    )


def _block(name: str, data: bytes) -> bytes:
    head = struct.pack("<IIBQBI", 0x70, 2 * len(name) + 14, 0x2A, len(data), 0x2A, len(name))
    return head + name.encode("utf-16-le") + data
