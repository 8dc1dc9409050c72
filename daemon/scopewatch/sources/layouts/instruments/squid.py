"""Squid (Cephla): the files of its multi-point acquisition.

`RUN_2026-03-05_14-50-07.948398/0/A1_2_0_BF_LED_matrix_full.tiff`: folder of the acquisition with
the local time of its start, time point, then region, field, plane and channel. With its other
settings Squid writes `0/A1_2_stack.tiff`, whose pages hold their facts, or
`ome_tiff/A1_2.ome.tiff`, which is in the folder of a time point where time points are split. All
count from 0. A region is a well, or a name (`manual0`).

A plate that is imaged again in an acquisition of its own has the same file names: so the first time
point of an acquisition is dated by its folder. `acquisition parameters.json` holds the scale,
`coordinates.csv` of a time point the time of each field; it is written when the time point ends.
"""

import csv
import io
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from scopewatch.sources.base.facts import NOTHING, PlaneFacts
from scopewatch.sources.layouts.beside import SideFile
from scopewatch.sources.layouts.layout import Example, Layout, Never
from scopewatch.sources.layouts.parts import WELL
from scopewatch.sources.readers.pixel_size import calibrated_um
from scopewatch.sources.readers.timestamps import time_facts

_FIELD = re.compile(r"(?P<region>.+?)_(?P<fov>\d{1,9})_(?P<z>\d{1,9})_(?!stack\.).+")
_TIME = "%Y-%m-%d_%H-%M-%S.%f"


@dataclass(frozen=True, slots=True)
class Parameters:
    """Scale of an acquisition."""

    facts: PlaneFacts

    def of(self, _name: str, _named: PlaneFacts) -> PlaneFacts | None:
        """Return the scale, which is that of all images."""
        return self.facts

    def lists(self, _name: str) -> bool:
        """Return True: it holds nothing else about an image."""
        return True


@dataclass(frozen=True, slots=True)
class Coordinates:
    """When each field of a time point was taken, by region, number and plane."""

    taken: Mapping[tuple[str, int, int], datetime]

    def of(self, name: str, _named: PlaneFacts) -> PlaneFacts | None:
        """Return when an image was taken; None where its field is not listed.

        Files of several planes hold the times of their planes themselves.
        """
        match = _FIELD.fullmatch(name)
        if match is None:
            return NOTHING
        taken = self.taken.get((match["region"], int(match["fov"]), int(match["z"])))
        return None if taken is None else time_facts(taken)

    def lists(self, name: str) -> bool:
        """Return whether no further facts of an image will come."""
        return self.of(name, NOTHING) is not None


def parse_parameters(file: BinaryIO, _: Path) -> Parameters:
    """Read `acquisition parameters.json`.

    The size of a pixel is that of the sensor, by the magnification of the objective with the tube
    lens of the microscope in place of the one that it was made for.

    Raises
    ------
    ValueError
        When it is half written.
    """
    entries = json.load(file)
    if not isinstance(entries, dict):
        raise ValueError("no object")
    found = entries.get("objective")
    objective = found if isinstance(found, dict) else {}
    sizes = [
        calibrated_um(place.get(name))
        for place, name in (
            (entries, "sensor_pixel_size_um"),
            (objective, "tube_lens_f_mm"),
            (objective, "magnification"),
            (entries, "tube_lens_mm"),
        )
    ]
    sensor_um, made_for_mm, magnification, tube_mm = (size or math.nan for size in sizes)
    size_um = calibrated_um(sensor_um * made_for_mm / magnification / tube_mm)
    return Parameters(NOTHING if size_um is None else PlaneFacts(pixel_size_um=size_um))


def parse_coordinates(file: BinaryIO, _: Path) -> Coordinates:
    """Read `coordinates.csv`, as far as its lines are complete."""
    text = file.read().decode("utf-8", "replace")
    lines = text[: text.rfind("\n") + 1]
    taken: dict[tuple[str, int, int], datetime] = {}
    for row in csv.DictReader(io.StringIO(lines)):
        try:
            place = row["region"], int(row["fov"]), int(row["z_level"])
            taken[place] = datetime.strptime(row["time"], _TIME)  # noqa: DTZ007 - local time
        except (KeyError, TypeError, ValueError):
            # The list of planned fields has no times, and other versions have other columns.
            continue
    return Coordinates(taken)


_BEGAN = (
    r"_(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"_(?P<hours>\d\d)-(?P<minutes>\d\d)-(?P<seconds>\d\d?)(?:\.\d+)?/"
)
_RUN = r"(?<![^/])(?P<plate>[^/]+?)"
_ANY_TIME = re.sub(r"\?P<\w+>", "?:", _BEGAN)
_REGION = rf"(?:{WELL}|(?P<position>[^/]+?))_(?P<site>\d+)"
_FILE = rf"(?:ome_tiff/)?{_REGION}(?:_(?P<z>\d+)_(?P<channel>[^/]+)|_stack|\.ome)\.\w+$"

LAYOUT = Layout(
    name="squid",
    program="Squid (Cephla)",
    patterns=(
        rf"{_RUN}{_BEGAN}0+/{_FILE}",
        rf"(?:{_RUN}{_ANY_TIME})?(?<![^/])(?P<time_point>\d+)/{_FILE}",
        rf"(?:{_RUN}{_ANY_TIME})?(?<![^/])ome_tiff/{_REGION}\.ome\.\w+$",
    ),
    never=(
        Never(pattern=r"(?<![^/])downsampled/[^/].*$", reason="a reduced image of several fields"),
        Never(
            pattern=r"_(?:laser af camera|focus_camera)\.\w+$",
            reason="an image of the focus camera",
        ),
    ),
    sides=(
        SideFile(
            names=("acquisition parameters.json",),
            parse=parse_parameters,
            above=2,
            awaited="pixel_size_um",
        ),
        SideFile(names=("coordinates.csv",), parse=parse_coordinates, above=1),
    ),
    examples=(
        Example(
            path="run8_2026-03-05_14-50-07.948398/0/A1_2_0_BF_LED_matrix_full.tiff",
            plate="run8",
            well="A1",
            site=2,
            moment=datetime(2026, 3, 5, 14, 50, 7),  # noqa: DTZ001 - names hold no zone
            channel="BF_LED_matrix_full",
            z=0,
        ),
        Example(
            path="cell-density-martin-2022-09-23_2022-10-03_12-58-54.710491/0/"
            "D16_2_2_Fluorescence_638_nm_Ex.tiff",
            plate="cell-density-martin-2022-09-23",
            well="D16",
            site=2,
            moment=datetime(2022, 10, 3, 12, 58, 54),  # noqa: DTZ001
            channel="Fluorescence_638_nm_Ex",
            z=2,
        ),
        Example(
            path="time-lapse-scan_2025-04-10_14-50-7.948398/3/D12_0_1_Fluorescence_488_nm_Ex.tiff",
            plate="time-lapse-scan",
            well="D12",
            site=0,
            time_point=3,
            channel="Fluorescence_488_nm_Ex",
            z=1,
        ),
        Example(
            path="0/manual0_5_0_Fluorescence_405_nm_Ex.tiff",
            position="manual0",
            site=5,
            time_point=0,
            channel="Fluorescence_405_nm_Ex",
            z=0,
        ),
        Example(
            path="run8_2026-03-05_14-50-07.948398/2/B3_0_stack.tiff",
            plate="run8",
            well="B3",
            site=0,
            time_point=2,
        ),
        Example(
            path="run8_2026-03-05_14-50-07.948398/ome_tiff/B3_1.ome.tiff",
            plate="run8",
            well="B3",
            site=1,
        ),
        Example(path="ome_run/1/ome_tiff/B3_1.ome.tiff", well="B3", site=1, time_point=1),
        Example(
            path="run8_2026-03-05_14-50-07.948398/0/downsampled/plate_10um.tiff",
            never="a reduced image of several fields",
        ),
        Example(path="0/A1_0_0_laser af camera.bmp", never="an image of the focus camera"),
    ),
)
