"""LIF files of Leica (LAS X, LAS AF), read with liffile.

A file holds many images, each a block of all its planes; the XML that describes them comes first.
Dimensions: X, Y, Z, T, M (tiles of a mosaic) and C, the channels.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from liffile import LifFile, LifImage, LifImageABC
from numpy.typing import NDArray

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.base.facts import Origin, PlaneFacts
from scopewatch.sources.readers.planes import ReadLimits
from scopewatch.sources.readers.vendors.lif_names import (
    ImageName,
    channel_names,
    labels,
    read_name,
)
from scopewatch.sources.readers.vendors.listing import (
    VendorFile,
    VendorPlane,
    VendorReader,
    refuse_too_many,
    stated,
)
from scopewatch.sources.readers.vendors.places import number_sites

_HEAD = struct.Struct("<IIBI")
_KNOWN = ("T", "Z", "M", "C")


def list_file(path: Path, limits: ReadLimits) -> VendorFile:
    """List the planes of a LIF: image by image, in the order of the file."""
    _refuse_long_description(path, limits)
    with LifFile(path, squeeze=False) as file:
        images = list(file.images)
        if not all(_has_pixels(image) for image in images):
            return VendorFile(unfinished="an image has no pixels yet")
        refuse_too_many(sum(_length(image) for image in images), path, limits)
        places = _places(images, [read_name(image.path) for image in images])
        planes = [
            plane for index, image in enumerate(images) for plane in _planes(index, image, places)
        ]
    return VendorFile(planes=tuple(planes))


def read_pixels(path: Path, place: tuple[int, Mapping[str, int], str]) -> NDArray[Any]:
    """Read one plane of an image."""
    index, at, refusal = place
    if refusal:
        raise FrameError(
            complaint(
                "image of the file is no grey frame",
                where=path,
                expected="time, position, channel, z",
                got=refusal,
                do="export the planes that are to be scored as OME-TIFF",
            )
        )
    with LifFile(path, squeeze=False) as file:
        image = file.images[index]
        if not isinstance(image, LifImage):
            raise TypeError(f"image {index} is a {type(image).__name__}")
        pixels: NDArray[Any] = image.frame(out=None, **at)
    return pixels


READER = VendorReader(list_file=list_file, read_pixels=read_pixels)


def _refuse_long_description(path: Path, limits: ReadLimits) -> None:
    """Refuse a file whose header declares more XML than the limit, before it is read."""
    with path.open("rb") as file:
        head = file.read(_HEAD.size)
    if len(head) == _HEAD.size and 2 * _HEAD.unpack(head)[3] > limits.max_text_bytes:
        raise ValueError(f"a description of {2 * _HEAD.unpack(head)[3]} bytes")


def _length(image: LifImageABC) -> int:
    """Return the number of planes that an image declares."""
    return 1 if image.is_flim else prod(image.sizes.get(axis, 1) for axis in _KNOWN)


def _has_pixels(image: LifImageABC) -> bool:
    """Return whether the block of an image is completely in the file."""
    try:
        return image.memory_block.offset >= 0
    except LookupError:
        return False


def _places(
    images: Sequence[LifImageABC], names: Sequence[ImageName]
) -> dict[tuple[int, int], PlaneFacts]:
    """Return plate, well, site and label of each (image, tile)."""
    scans = {name.scan for name in names if name.well is not None}
    fields = [
        (index, tile)
        for index, image in enumerate(images)
        for tile in range(1 if image.is_flim else image.sizes.get("M", 1))
    ]
    sites = number_sites(
        (field, (names[field[0]].scan, names[field[0]].well or field[0]), names[field[0]].region)
        for field in fields
    )
    called = labels(names)
    return {
        field: PlaneFacts(
            # Several scans in one file, each with wells: each is a plate.
            plate=names[field[0]].scan or None if len(scans) > 1 else None,
            well=names[field[0]].well,
            site=sites[field],
            position=called[field[0]],
        )
        for field in fields
    }


def _planes(
    index: int, image: LifImageABC, places: Mapping[tuple[int, int], PlaneFacts]
) -> Iterator[VendorPlane]:
    sizes = {} if image.is_flim else dict(image.sizes)
    refusal = _refusal(image, sizes)
    size_px = (sizes.get("Y", 0), sizes.get("X", 0))
    axes = [] if refusal else [axis for axis in sizes if axis in _KNOWN]
    channels, codes = channel_names(image.xml_element, sizes.get("C", 1))
    times = _Times(image, {axis: sizes[axis] for axis in axes})
    of_set = PlaneFacts(pixel_size_um=None if refusal else _pixel_size(image))
    for place in product(*(range(sizes[axis]) for axis in axes)):
        at = dict(zip(axes, place, strict=True))
        field = places[index, at.get("M", 0)]
        facts = PlaneFacts(
            time_point=at.get("T") if sizes.get("T", 1) > 1 else None,
            channel=channels[at.get("C", 0)],
            channel_code=codes[at.get("C", 0)],
            z=at.get("Z") if sizes.get("Z", 1) > 1 else None,
            acquired_at=times.of(at),
        )
        yield VendorPlane(
            place=(index, at, refusal),
            fingerprint=f"{image.uuid or index}:{image.memory_block.size}:{place}",
            size_px=size_px,
            statements=stated(
                (Origin.PLANE, "LIF metadata", facts), (Origin.SET, "LIF", field.over(of_set))
            ),
        )


def _refusal(image: LifImageABC, sizes: Mapping[str, int]) -> str:
    """Return why an image holds no frames; '' where it does."""
    if image.is_flim:
        return f"{image.path}: lifetimes"
    if "X" not in sizes or "Y" not in sizes:
        return f"{image.path}: dimensions {', '.join(sizes)}"
    others = [f"{axis} of length {n}" for axis, n in sizes.items() if n > 1]
    others = [each for each in others if each[0] not in ("X", "Y", "S", *_KNOWN)]
    return f"{image.path}: {', '.join(others)}" if others else ""


def _pixel_size(image: LifImageABC) -> float | None:
    """Return the pixel size along X, which LIF gives in metres, in micrometres."""
    x = image.coords.get("X")
    if x is None or len(x) < 2:
        return None
    size_um = abs(float(x[-1] - x[0])) / (len(x) - 1) * 1e6
    return size_um or None


class _Times:
    """Time of each plane of an image, where it has one for each plane or each time point."""

    def __init__(self, image: LifImageABC, sizes: Mapping[str, int]) -> None:
        stamps = image.timestamps
        self._stamps = [] if stamps is None else [int(each) for each in stamps.astype("int64")]
        self._sizes = sizes
        self._planes = 1
        for length in sizes.values():
            self._planes *= length

    def of(self, at: Mapping[str, int]) -> datetime | None:
        """Return the time of a plane, aware UTC."""
        if not self._stamps:
            return None
        index: int | None = None
        if len(self._stamps) == self._planes:
            index = 0
            for axis, length in self._sizes.items():
                index = index * length + at[axis]
        elif len(self._stamps) == self._sizes.get("T", 1):
            index = at.get("T", 0)
        elif not at.get("T"):
            index = 0
        if index is None or self._stamps[index] <= 0:
            return None
        return datetime.fromtimestamp(self._stamps[index] / 1000, UTC)
