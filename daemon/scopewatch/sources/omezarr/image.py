"""Metadata of one OME-Zarr image: axes, scale, channels, times.

https://ngff.openmicroscopy.org/0.5/index.html#multiscale-md
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.base.address import named
from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts, Statement
from scopewatch.sources.omezarr.multiscale import (
    LONGEST_S,
    read_axes,
    read_interval_s,
    read_scale,
    read_units,
    unknown_structure,
)
from scopewatch.sources.omezarr.nodes import Node, mapping, objects, safe_path
from scopewatch.sources.readers.mda_plan import mixed_planes
from scopewatch.sources.readers.pixel_size import calibrated_um
from scopewatch.sources.readers.timestamps import parse_iso

PlaneIndex = tuple[int, ...]
"""Position of a plane on the axes of its image other than y and x, in the order of the array."""
# Default names that writers use where nobody chose one.
_NAMELESS: Final = frozenset({"image", "0", "/", "/0"})
# Names of the witnesses, as the operator sees them.
PLACE: Final = "place in the array"
FRAME_METADATA: Final = "frame_metadata of the image"
IMAGE_METADATA: Final = "OME-Zarr metadata"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageMetadata:
    """The multiscale image of a group, at full resolution.

    Parameters
    ----------
    axes
        Letter of each axis in the order of the array; other axes by their name.
    dataset
        Path of the array of resolution level 0 below the group.
    pixel_size_um
        Size along x; None without a unit.
    interval_s
        Time between time points; None where it is not stated.
    channels
        Labels of the channels; None for a channel without one.
    began_at, began_wall
        Start of the acquisition, aware UTC or without a zone.
    """

    axes: tuple[str, ...]
    dataset: str
    name: str | None
    pixel_size_um: float | None
    interval_s: float | None
    channels: tuple[str | None, ...]
    began_at: datetime | None = None
    began_wall: datetime | None = None

    @property
    def plane_axes(self) -> tuple[str, ...]:
        """The axes that number the planes: all but y and x."""
        return tuple(axis for axis in self.axes if axis not in ("y", "x"))

    def statements(self, index: PlaneIndex, delta_s: float | None = None) -> tuple[Statement, ...]:
        """Return the statements about a plane by its position and by the metadata of the image.

        Parameters
        ----------
        delta_s
            Seconds since the start of the acquisition, where the metadata of the plane has them.
        """
        at = dict(zip(self.plane_axes, index, strict=True))
        t, c = at.get("t"), at.get("c")
        label = self.channels[c] if c is not None and c < len(self.channels) else None
        if c is None and len(self.channels) == 1:
            label = self.channels[0]
        place = PlaneFacts(time_point=t, z=at.get("z"))
        of_set = PlaneFacts(
            channel=label,
            channel_code=None if c is None or label else f"channel{c}",
            pixel_size_um=self.pixel_size_um,
        ).over(self._moment_by_index(t))
        own = Statement(origin=Origin.PLANE, by=FRAME_METADATA, facts=self._moment(delta_s))
        return (
            Statement(origin=Origin.PLANE, by=PLACE, facts=place),
            *((own,) if delta_s is not None else ()),
            Statement(origin=Origin.SET, by=IMAGE_METADATA, facts=of_set),
        )

    def _moment_by_index(self, t: int | None) -> PlaneFacts:
        dated = self.began_at is not None or self.began_wall is not None
        if not t:
            # The date of the image is only that of its first plane.
            return self._moment(0.0 if dated or (t == 0 and self.interval_s) else None)
        return self._moment(None if self.interval_s is None else t * self.interval_s)

    def _moment(self, elapsed_s: float | None) -> PlaneFacts:
        if elapsed_s is None:
            return NOTHING
        if self.began_at is not None:
            return PlaneFacts(acquired_at=self.began_at + timedelta(seconds=elapsed_s))
        if self.began_wall is not None:
            return PlaneFacts(wall_time=self.began_wall, since_wall_s=elapsed_s)
        return PlaneFacts(elapsed_s=elapsed_s)


def read_image(node: Node, where: object) -> ImageMetadata | None:
    """Read the image metadata of a group; None where it holds no image (yet).

    Raises
    ------
    FrameError
        When the image has a structure that cannot be read.
    """
    multiscales = objects(node.ome.get("multiscales"))
    if not multiscales:
        return None
    multiscale = multiscales[0]
    version = str(node.ome.get("version") or multiscale.get("version") or "unknown")
    axes = read_axes(multiscale, version, where)
    mixed = None if "c" in axes else mixed_planes(_summary(node))
    if mixed is not None:
        raise FrameError(
            complaint(
                "OME-Zarr image does not tell its planes apart",
                where=where,
                got=mixed,
                do="take all channels at each time point and plane, positions within time points",
            )
        )
    datasets = objects(multiscale.get("datasets"))
    dataset = safe_path(datasets[0].get("path")) if datasets else None
    if dataset is None:
        raise unknown_structure(where, "a dataset with a path", version)
    scale = read_scale(multiscale, datasets[0], len(axes))
    units = read_units(multiscale, len(axes))
    x = axes.index("x")
    began = _began(node)
    aware = began is not None and began.tzinfo is not None
    return ImageMetadata(
        axes=axes,
        dataset=dataset,
        name=_name(multiscale.get("name")),
        pixel_size_um=None if scale is None else calibrated_um(scale[x], units[x]),
        interval_s=read_interval_s(axes, scale, units),
        channels=_channels(node),
        began_at=began if aware else None,
        began_wall=None if aware else began,
    )


def frame_times(node: Node) -> Mapping[PlaneIndex, float]:
    """Return the seconds since the start of the acquisition, for planes that have them.

    ome-writers writes them when it closes the image, as `delta_t` beside `storage_index`.
    """
    metadata = mapping(node.attributes.get("ome_writers")).get("frame_metadata")
    times = {}
    for entry in objects(metadata):
        index, delta_s = entry.get("storage_index"), entry.get("delta_t")
        if (
            isinstance(index, list)
            and all(type(each) is int for each in index)
            and isinstance(delta_s, int | float)
            and 0 <= delta_s < LONGEST_S
        ):
            times[tuple(index)] = float(delta_s)
    return times


def is_closed(node: Node) -> bool:
    """Return whether its writer declares the image finished; only ome-writers does.

    It writes an empty list with the group, and fills it when it closes the stream.
    """
    listed = mapping(node.attributes.get("ome_writers")).get("frame_metadata")
    return isinstance(listed, list) and bool(listed)


def _channels(node: Node) -> tuple[str | None, ...]:
    channels = mapping(node.ome.get("omero")).get("channels")
    return tuple(named(each.get("label")) for each in objects(channels))


def _name(name: object) -> str | None:
    label = named(name)
    return None if label is None or label.casefold() in _NAMELESS else label.strip("/")


def _began(node: Node) -> datetime | None:
    """Return the start of the acquisition by pymmcore-plus; naive where it has no zone."""
    return parse_iso(_summary(node).get("datetime"))


def _summary(node: Node) -> Mapping[str, Any]:
    return mapping(mapping(node.attributes.get("pymmcore_plus")).get("summary_metadata"))
