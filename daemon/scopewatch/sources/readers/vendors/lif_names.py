"""Reads well, site and channels of a LIF image from its names and its XML.

LAS X names the images of a plate by a path: `TileScan 1/B/3/R1`, `TileScan 1/B3/R1`, without the
last part where a well has one region. Other images have names of their own (`Series001`).
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

from scopewatch.sources.base.address import named

_ROW, _COLUMN = re.compile(r"[A-P]"), re.compile(r"\d{1,2}")
_WELL = re.compile(r"[A-P]\d{1,2}")
_REGION = re.compile(r"R(?:egion ?)?(\d{1,4})")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageName:
    """Place of an image, by its path within the file.

    Parameters
    ----------
    scan
        The parts of the path before the well.
    label
        Its own name, where that is no well.
    """

    scan: str = ""
    well: str | None = None
    region: int | None = None
    label: str | None = None


def read_name(path: str) -> ImageName:
    """Read the path of an image within its file.

    >>> read_name("TileScan 1/B/3/R2")
    ImageName(scan='TileScan 1', well='B3', region=2, label=None)
    """
    *above, last = path.split("/")
    match = _REGION.fullmatch(last)
    region = int(match[1]) if match is not None else None
    parts = above if match is not None else [*above, last]
    if parts and _WELL.fullmatch(parts[-1]):
        return ImageName(scan="/".join(parts[:-1]), well=parts[-1], region=region)
    if len(parts) > 1 and _ROW.fullmatch(parts[-2]) and _COLUMN.fullmatch(parts[-1]):
        well = parts[-2] + parts[-1]
        return ImageName(scan="/".join(parts[:-2]), well=well, region=region)
    return ImageName(scan="/".join(above), label=last)


def channel_names(image: Xml.Element, count: int) -> tuple[list[str | None], list[str | None]]:
    """Return names and codes of the channels of an image.

    A name is the one that the user or the contrast method gives the channel, else the colour in
    which it is shown; several channels of one name are named by their number.
    """
    shown = [
        named(each.get("LUTName"))
        for each in image.findall("./Data/Image/ImageDescription/Channels/ChannelDescription")
    ]
    infos = image.findall("./Data/Image//WideFieldChannelInfo")
    names = [_channel(info) for info in infos[:count]] if len(infos) >= count else []
    codes = [shown[index] if index < len(shown) else None for index in range(count)]
    labels = [name or code for name, code in zip(names or [None] * count, codes, strict=True)]
    seen: Counter[str | None] = Counter(labels)
    unique = [
        name if name is not None and seen[name] == 1 else (f"channel{index}" if count > 1 else name)
        for index, name in enumerate(labels)
    ]
    return unique, [code if codes.count(code) == 1 else None for code in codes]


def labels(names: Sequence[ImageName]) -> list[str | None]:
    """Return the position label of each image; none where the file has one image."""
    if len(names) == 1:
        return [None]
    seen = Counter(name.label for name in names)
    return [
        f"{name.scan}/{name.label}" if name.label and seen[name.label] > 1 else name.label
        for name in names
    ]


def _channel(info: Xml.Element) -> str | None:
    method, cube = named(info.get("ContrastingMethodName")), named(info.get("FluoCubeName"))
    if method is not None and method.upper().startswith("FLUO"):
        method = cube or method
    return named(info.get("UserDefName")) or method
