"""Yokogawa: CellVoyager CV7000 and CV8000, and CQ1.

CellVoyager: `PLATE_D08_T0001F001L01A01Z01C01.tif` (well, time point, field, time line, action,
plane, channel). CQ1: `W0001F0001T0001Z001C1.tif` with the number of the well, or
`A-02_F0001_T0020_Z0001.png` after its own export.

CellVoyager also writes `MeasurementData.mlf` (for each image: moment, well, field, plane) and
`MeasurementDetail.mrf` (for each channel: scale), which names the settings file (`.mes`: names of
channels). CQ1 writes `MeasurementResult.ome.xml`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PureWindowsPath
from typing import BinaryIO

from scopewatch.sources.base.address import named as label
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.base.wells import numbered_well
from scopewatch.sources.layouts.beside import SideFile
from scopewatch.sources.layouts.layout import Example, Layout, Never
from scopewatch.sources.layouts.parts import NAME, PLATE, WELL
from scopewatch.sources.readers.pixel_size import calibrated_um
from scopewatch.sources.readers.safe_xml import Record, read_records
from scopewatch.sources.readers.timestamps import parse_iso, time_facts


@dataclass(frozen=True, slots=True)
class _Taken:
    row: int | None
    column: int | None
    field: int | None
    plane: int | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class MeasurementData:
    """Images of a measurement by file name."""

    images: Mapping[str, _Taken]

    def of(self, name: str, _named: PlaneFacts) -> PlaneFacts | None:
        """Return the facts of an image; None where it is not listed (yet)."""
        taken = self.images.get(name)
        if taken is None:
            return None
        return PlaneFacts(
            well=numbered_well(taken.row, taken.column),
            site=taken.field,
            z=taken.plane,
        ).over(time_facts(taken.at))

    def lists(self, name: str) -> bool:
        """Return whether it lists an image."""
        return name in self.images


@dataclass(frozen=True, slots=True)
class MeasurementDetail:
    """Channels of a measurement by number."""

    channels: Mapping[int, PlaneFacts]

    def of(self, _name: str, named: PlaneFacts) -> PlaneFacts | None:
        """Return the facts of an image's channel; None where it is not described (yet)."""
        digits = (named.channel_code or "").lstrip("C")
        return self.channels.get(int(digits)) if digits.isdecimal() else None

    def lists(self, _name: str) -> bool:
        """Return True: the facts of a channel are all that it holds for an image."""
        return True


def parse_data(file: BinaryIO, _path: Path) -> MeasurementData:
    """Read a `MeasurementData.mlf`, as far as it is written."""
    images: dict[str, _Taken] = {}
    for _, record in read_records(file, frozenset({"MeasurementRecord"})):
        if record.get("Type") == "IMG" and record[""]:
            images[PureWindowsPath(record[""]).name] = _Taken(
                row=_number(record, "Row"),
                column=_number(record, "Column"),
                field=_number(record, "FieldIndex"),
                plane=_number(record, "ZIndex"),
                at=parse_iso(record.get("Time")),
            )
    return MeasurementData(images=images)


def parse_detail(file: BinaryIO, path: Path) -> MeasurementDetail:
    """Read a `MeasurementDetail.mrf`, and the settings file that it names."""
    sizes: dict[int, float | None] = {}
    for _, record in read_records(file, frozenset({"MeasurementChannel"})):
        number = _number(record, "Ch")
        if number is not None:
            sizes[number] = calibrated_um(record.get("HorizontalPixelDimension"))
    file.seek(0)
    whole = next(read_records(file, frozenset({"MeasurementDetail"})), ("", {"": ""}))[1]
    settings = path.parent / PureWindowsPath(whole.get("MeasurementSettingFileName", "")).name
    names: dict[int, str] = {}
    if settings.is_file():
        with settings.open("rb") as opened:
            names = _channel_names(opened)
    return MeasurementDetail(
        channels={
            number: PlaneFacts(channel=names.get(number), pixel_size_um=size_um)
            for number, size_um in sizes.items()
        }
    )


def _channel_names(file: BinaryIO) -> dict[int, str]:
    """Return the names of channels in the settings file, as far as they are unique."""
    names: dict[int, str] = {}
    for _, record in read_records(file, frozenset({"Channel"})):
        number = _number(record, "Ch")
        kind = record.get("Kind", "")
        # All fluorescence channels are of the same kind; transmitted light has a name of its own.
        name = label(record.get("Fluorophore")) or (
            None if "fluorescence" in kind.casefold() else label(kind)
        )
        if number is not None and name is not None:
            names[number] = name
    return {number: name for number, name in names.items() if _once(name, names)}


def _once(name: str, names: Mapping[int, str]) -> bool:
    return sum(other == name for other in names.values()) == 1


def _number(record: Record, name: str) -> int | None:
    text = record.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= 9 else None


_NUMBERS = r"F(?P<site>\d+)_?T(?P<time_point>\d+)_?Z(?P<z>\d+)(?:_?(?P<channel_code>C\d+))?\.[^/]+$"

LAYOUT = Layout(
    name="yokogawa",
    program="Yokogawa CellVoyager (CV7000, CV8000) and CQ1",
    patterns=(
        rf"{NAME}(?:{PLATE}_)?{WELL}_T(?P<time_point>\d+)F(?P<site>\d+)L\d+A\d+Z(?P<z>\d+)"
        r"(?P<channel_code>C\d+)\.[^/]+$",
        rf"{NAME}(?:{PLATE}_)?W(?P<well>\d+){_NUMBERS}",
        rf"{NAME}(?:{PLATE}_)?(?P<row>[A-Z]|A[A-F])-?(?P<column>\d\d)_{_NUMBERS}",
    ),
    counts_from={"time_point": 1, "z": 1},
    sides=(
        SideFile(names=("MeasurementData.mlf",), parse=parse_data, above=1),
        SideFile(
            names=("MeasurementDetail.mrf",), parse=parse_detail, above=1, awaited="pixel_size_um"
        ),
    ),
    never=(
        Never(
            pattern=r"(?<![^/])(?:SC_[^/]*_CH\d+|DC_[^/]*CAM\d+)\.\w+$",
            reason="a correction image of the camera",
        ),
    ),
    examples=(
        Example(path="SC_BP445-45_20x v2_M01_CH01.tif", never="a correction image of the camera"),
        Example(
            path="X_D08_T0001F001L01A01Z01C01.tif",
            plate="X",
            well="D8",
            site=1,
            time_point=0,
            channel="C01",
            z=1,
        ),
        Example(
            path="A01_T0001F001L01A01Z01C02.tif",
            well="A1",
            site=1,
            time_point=0,
            channel="C02",
            z=1,
        ),
        Example(path="A-02_F0001_T0020_Z0001.png", well="A2", site=1, time_point=19, z=1),
        Example(
            path="C-02_F0004_T0013_Z0001_C01.tif",
            well="C2",
            site=4,
            time_point=12,
            channel="C01",
            z=1,
        ),
        Example(
            path="Image/W0001F0001T0001Z001C1.tif",
            well="1",
            site=1,
            time_point=0,
            channel="C1",
            z=1,
        ),
    ),
)
