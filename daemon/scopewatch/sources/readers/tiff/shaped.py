"""The shape that tifffile writes into the first image description of a file."""

import math
from dataclasses import dataclass

from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.readers.micromanager_metadata import load_tags
from scopewatch.sources.readers.tiff import ifd
from scopewatch.sources.readers.tiff.ifd import Directory

_MOST_AXES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TiffShape:
    """The shape that tifffile writes; `places` is empty where axes are not known."""

    planes: int = 0
    places: tuple[PlaneFacts, ...] = ()


def read_shape(description: str, first: Directory | None) -> TiffShape:
    """Read the shape tifffile writes: `{"shape": [48, 256, 256], "axes": "TYX"}`."""
    tags = load_tags(description) if description.startswith('{"') else None
    shape = tags.get("shape") if tags is not None else None
    if tags is None or not isinstance(shape, list) or len(shape) > _MOST_AXES or first is None:
        return TiffShape()
    samples = first.number(ifd.SAMPLES, 1)
    of_plane = first.number(ifd.HEIGHT, 0) * first.number(ifd.WIDTH, 0) * samples
    planes, rest = divmod(math.prod(_size(length) for length in shape), max(1, of_plane))
    return TiffShape(planes=0 if rest else planes, places=_places(tags.get("axes"), shape))


def _places(axes: object, shape: list[object]) -> tuple[PlaneFacts, ...]:
    if not isinstance(axes, str) or len(axes) != len(shape):
        return ()
    lead = axes[: axes.find("YX")] if "YX" in axes else ""
    sizes = [_size(length) for length in shape[: len(lead)]]
    if not lead or not set(lead) <= set("TCZ"):
        return ()
    places = []
    for page in range(min(math.prod(sizes), 100_000)):
        at, rest = {}, page
        for axis, size in zip(reversed(lead), reversed(sizes), strict=True):
            rest, at[axis] = divmod(rest, size)
        channel = f"channel{at['C']}" if "C" in at else None
        z_planes = sizes[lead.index("Z")] if "Z" in lead else None
        place = PlaneFacts(
            time_point=at.get("T"), channel=channel, z=at.get("Z"), z_planes=z_planes
        )
        places.append(place)
    return tuple(places)


def _size(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 1
