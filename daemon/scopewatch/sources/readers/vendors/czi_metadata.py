"""Reads the metadata XML of a CZI: scenes and their wells, channels, scale, the start.

A scene is one stage position. With a multiwell plate ZEN writes the well into `ArrayName` (`B4`),
the position within it into `Name` (`P1`), and row and column, from 1, into `Shape`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from xml.etree import ElementTree as Xml

from scopewatch.sources.base.address import named
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.readers.pixel_size import calibrated_um
from scopewatch.sources.readers.timestamps import parse_iso
from scopewatch.sources.readers.vendors.places import number_sites

Field = tuple[int | None, int | None]  # index of the scene, index of the tile
_IMAGE = "Metadata/Information/Image"
_WITHIN_WELL = re.compile(r"P(\d{1,4})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A scene: its name, and its well where it has one."""

    name: str | None = None
    well: str | None = None

    @property
    def number(self) -> int | None:
        """Number of the position within its well (`P3`); None where the name has none."""
        match = _WITHIN_WELL.fullmatch(self.name or "")
        return int(match[1]) if match is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CziMetadata:
    """Content of the XML.

    Parameters
    ----------
    channels
        Names by index; None for a channel without a name.
    started_at
        Start of the acquisition; naive where it has no zone.
    """

    scenes: Mapping[int, Scene] = field(default_factory=lambda: MappingProxyType({}))
    channels: tuple[str | None, ...] = ()
    pixel_size_um: float | None = None
    started_at: datetime | None = None

    def channel(self, index: int | None) -> str | None:
        """Return the name of a channel by its index."""
        if index is None or not 0 <= index < len(self.channels):
            return None
        return self.channels[index]


def read_metadata(text: str) -> CziMetadata:
    """Read the metadata XML of a CZI.

    Raises
    ------
    ValueError
        When it declares entities.
    SyntaxError
        When it is no XML.
    """
    if not text.strip("\x00 \r\n\t"):
        return CziMetadata()
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("metadata declares entities")
    root = Xml.fromstring(text.rstrip("\x00"))  # noqa: S314 - expat, without entities (above)
    scenes = {
        int(index): Scene(name=named(scene.get("Name")), well=_well(scene))
        for scene in root.findall(f"{_IMAGE}/Dimensions/S/Scenes/Scene")
        if (index := scene.get("Index", "")).isdecimal()
    }
    distance = root.find("Metadata/Scaling/Items/Distance[@Id='X']/Value")
    return CziMetadata(
        scenes=MappingProxyType(scenes),
        channels=tuple(
            named(channel.get("Name") or channel.findtext("Name"))
            for channel in root.findall(f"{_IMAGE}/Dimensions/Channels/Channel")
        ),
        pixel_size_um=calibrated_um(distance.text, "m") if distance is not None else None,
        started_at=parse_iso(root.findtext(f"{_IMAGE}/AcquisitionDateAndTime")),
    )


def fields_of_view(metadata: CziMetadata, fields: Iterable[Field]) -> dict[Field, PlaneFacts]:
    """Return well and site of each scene and tile; its label, where it is in no well."""
    ordered = sorted(set(fields), key=lambda item: (item[0] or 0, item[1] or 0))
    several = len({scene for scene, _ in ordered}) > 1
    scenes = {each: metadata.scenes.get(each[0] or 0) for each in ordered if each[0] is not None}
    sites = number_sites(
        (each, scene.well, scene.number)
        if (scene := scenes.get(each)) is not None and scene.well
        else (each, each[0], None)
        for each in ordered
    )
    places = {}
    for each in ordered:
        scene = scenes.get(each)
        places[each] = PlaneFacts(
            well=scene.well if scene is not None else None,
            site=sites[each],
            position=_position(scene, each[0], several=several),
        )
    return places


def _position(scene: Scene | None, index: int | None, *, several: bool) -> str | int | None:
    """Return the label of a scene that is in no well, or its number among several."""
    if scene is not None and (scene.well or scene.name):
        return None if scene.well else scene.name
    return index if several else None


def _well(scene: Xml.Element) -> str | None:
    name = named(scene.findtext("ArrayName"))
    if name is not None:
        return name
    row, column = (scene.findtext(f"Shape/{part}Index", "") for part in ("Row", "Column"))
    if not row.isdecimal() or not column.isdecimal() or not 1 <= int(row) <= 26:
        return None
    return f"{chr(ord('A') + int(row) - 1)}{int(column)}"
