"""Harmony (PerkinElmer, Revvity): exports of Opera Phenix and Operetta.

`r02c03f02p01-ch1sk5fk1fl1`: row, column, field, plane, channel and time point (`sk`, of slow
kinetics). The scale in the TIFF tags is the pixel pitch of the camera; the true scale, names of
channels and moments are in `Index.idx.xml` or `Index.xml`: up to Harmony 5 with each image, from
Harmony 6 with each channel. The folder of a measurement is named by its plate and the local time
of its start; a plate that is measured again gives the same file names in each folder.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from scopewatch.sources.base.address import named as label
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.base.wells import numbered_well
from scopewatch.sources.layouts.beside import SideFile
from scopewatch.sources.layouts.layout import Example, Layout
from scopewatch.sources.layouts.parts import NAME
from scopewatch.sources.readers.pixel_size import calibrated_um
from scopewatch.sources.readers.safe_xml import Record, read_records
from scopewatch.sources.readers.timestamps import parse_iso, time_facts


@dataclass(frozen=True, slots=True)
class _Image:
    row: int | None
    column: int | None
    field: int | None
    plane: int | None
    channel: str
    taken: datetime | None


@dataclass(frozen=True, slots=True)
class _Channel:
    name: str | None
    size_um: float | None


@dataclass(frozen=True, slots=True)
class HarmonyIndex:
    """Images of a measurement by file name, and its channels by number."""

    images: Mapping[str, _Image]
    channels: Mapping[str, _Channel]

    def of(self, name: str, _named: PlaneFacts) -> PlaneFacts | None:
        """Return the facts of an image; None where it is not listed (yet)."""
        image = self.images.get(name)
        if image is None:
            return None
        channel = self.channels.get(image.channel, _Channel(None, None))
        return PlaneFacts(
            well=numbered_well(image.row, image.column),
            site=image.field,
            z=image.plane,
            channel=channel.name,
            pixel_size_um=channel.size_um,
        ).over(time_facts(image.taken))

    def lists(self, name: str) -> bool:
        """Return whether it lists an image."""
        return name in self.images


def parse_index(file: BinaryIO, _: Path) -> HarmonyIndex:
    """Read an index, as far as it is written."""
    images: dict[str, _Image] = {}
    channels: dict[str, _Channel] = {}
    for kind, record in read_records(file, frozenset({"Image", "Entry"})):
        number = record.get("ChannelID", "")
        if kind == "Image" and record.get("URL"):
            images[record["URL"].rpartition("/")[2]] = _image(record, number)
        if record.get("ChannelName") or record.get("ImageResolutionX"):
            known = channels.get(number, _Channel(None, None))
            size_um = calibrated_um(record.get("ImageResolutionX"), "m")
            channels[number] = _Channel(
                label(record.get("ChannelName")) or known.name, size_um or known.size_um
            )
    return HarmonyIndex(images=images, channels=channels)


def _image(record: Record, channel: str) -> _Image:
    def number(name: str) -> int | None:
        text = record.get(name, "")
        return int(text) if text.isdecimal() and len(text) <= 9 else None

    return _Image(
        row=number("Row"),
        column=number("Col"),
        field=number("FieldID"),
        plane=number("PlaneID"),
        channel=channel,
        taken=parse_iso(record.get("AbsTime")),
    )


_FILE = (
    r"(?i:r(?P<row>\d\d)c(?P<column>\d\d)f(?P<site>\d+)p(?P<z>\d+)(?:rc\d+)?"
    r"-(?P<channel_code>ch\d+))"
)
_MEASUREMENT = (
    r"(?<![^/])(?P<plate>[^/]+?)__(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"T(?P<hours>\d\d)_(?P<minutes>\d\d)_(?P<seconds>\d\d)-Measurement[^/]*/(?:[^/]+/)*"
)
_REST = r"(?i:fk\d+)?(?i:fl\d+)?\.[^/]+$"

LAYOUT = Layout(
    name="harmony",
    program="Harmony (PerkinElmer, Revvity): Opera Phenix, Operetta",
    patterns=(
        # The first time point of a measurement is dated by its folder.
        rf"{_MEASUREMENT}{_FILE}(?i:sk0*1(?!\d))?{_REST}",
        rf"(?:(?<![^/])(?P<plate>[^/]+?)__[^/]*-Measurement[^/]*/(?:[^/]+/)*)?{NAME}{_FILE}"
        rf"(?i:sk(?P<time_point>\d+))?{_REST}",
    ),
    counts_from={"time_point": 1, "z": 1},
    sides=(
        SideFile(
            names=("Index.idx.xml", "Index.xml"),
            parse=parse_index,
            above=1,
            awaited="pixel_size_um",
        ),
    ),
    distrusts=frozenset({"pixel_size_um"}),
    examples=(
        Example(
            path="Images/r02c03f02p01-ch1sk5fk1fl1.tiff",
            well="B3",
            site=2,
            time_point=4,
            channel="ch1",
            z=1,
        ),
        Example(
            path="r02c07f01p01rc1-ch1sk1fk1fl1.tiff",
            well="B7",
            site=1,
            time_point=0,
            channel="ch1",
            z=1,
        ),
        Example(
            path="BR00117035__2021-05-02T16_02_51-Measurement1/Images/r01c01f01p01-ch6sk1fk1fl1.tiff",
            plate="BR00117035",
            well="A1",
            site=1,
            moment=datetime(2021, 5, 2, 16, 2, 51),  # noqa: DTZ001 - names hold no zone
            channel="ch6",
            z=1,
        ),
        Example(
            path="r01c01f01p01-ch6sk1fk1fl1.tiff",
            well="A1",
            site=1,
            time_point=0,
            channel="ch6",
            z=1,
        ),
    ),
)
