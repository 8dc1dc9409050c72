"""IN Cell Analyzer (GE, Cytiva; Molecular Devices).

`B - 03(fld 1 wv TL-Phase Contrast - Cy3).tif`: row, column, field, and the filters of excitation
and emission, which together name the channel; then plane and time point, each where there are
several. All count from 1. The folder of a scan is named by its plate, often with the local time of
its start, which is that of the first time point. The file `.xdce` of the same name within it holds
the scale.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from scopewatch.sources.base.facts import NOTHING, PlaneFacts
from scopewatch.sources.layouts.beside import SideFile
from scopewatch.sources.layouts.layout import EXPORTED, Example, Layout
from scopewatch.sources.layouts.parts import NAME, PLATE
from scopewatch.sources.readers.pixel_size import calibrated_um
from scopewatch.sources.readers.safe_xml import read_records


@dataclass(frozen=True, slots=True)
class Scan:
    """Scale of a scan."""

    facts: PlaneFacts

    def of(self, _name: str, _named: PlaneFacts) -> PlaneFacts | None:
        """Return the scale, which is that of all images."""
        return self.facts

    def lists(self, _name: str) -> bool:
        """Return True: it holds nothing else about an image."""
        return True


def parse_scan(file: BinaryIO, _: Path) -> Scan | None:
    """Read an `.xdce`; None where the objective is not described yet."""
    for _kind, record in read_records(file, frozenset({"ObjectiveCalibration"})):
        size_um = calibrated_um(record.get("pixel_width"), record.get("unit") or "um")
        return Scan(NOTHING if size_um is None else PlaneFacts(pixel_size_um=size_um))
    return None


_FOLDER = r"(?<![^/])(?P<plate>[^/]+?)_"
_DATED = (
    rf"{_FOLDER}(?P<year>\d{{4}})\.(?P<month>\d\d)\.(?P<day>\d\d)"
    r"\.(?P<hours>\d\d)\.(?P<minutes>\d\d)\.(?P<seconds>\d\d)/(?:[^/]+/)*"
)
_WELL = r"(?P<row>[A-Z]|A[A-F]) ?- ?(?P<column>\d{1,3})\((?:fld (?P<site>\d+))?"
_TIME = r"(?=(?:[^/]*?[ -]time (?P<time_point>\d+) - )?)"
_LATER = r"(?![^/]*?[ -]time 0*(?:[2-9]|[1-9]\d+) - )"
_REST = (
    r"(?=(?:[^/]*?[ -]z (?P<z>\d+)(?!\d))?)"
    r"(?: ?wv (?P<channel>(?P<channel_code>[^/()]+?) - [^/()]+?)"
    r"(?= z \d| wix \d| ?-? ?time \d|\)))?"
    r"[^/()]*\)\.\w+$"
)

LAYOUT = Layout(
    name="incell",
    program="IN Cell Analyzer (GE, Cytiva, Molecular Devices)",
    patterns=(
        # The first time point of a scan is dated by its folder.
        rf"{_DATED}{NAME}(?:[^/]+_)?{_WELL}{_LATER}{_REST}",
        rf"{_FOLDER}\d{{4}}(?:\.\d\d){{5}}/(?:[^/]+/)*{NAME}(?:[^/]+_)?{_WELL}{_TIME}{_REST}",
        rf"{NAME}(?:{PLATE}_)?{_WELL}{_TIME}{_REST}",
    ),
    counts_from={"time_point": 1, "z": 1},
    sides=(SideFile(names=("{folder}.xdce",), parse=parse_scan, awaited="pixel_size_um"),),
    distrusts=EXPORTED | {"pixel_size_um"},
    examples=(
        Example(
            path="TL and PC_1/B - 03(fld 1 wv TL-Phase Contrast - Cy3 wix 1).tif",
            well="B3",
            site=1,
            channel="TL-Phase Contrast - Cy3",
        ),
        Example(
            path="A - 01(fld 1 wv Green - dsRed z 3).tif",
            well="A1",
            site=1,
            channel="Green - dsRed",
            z=3,
        ),
        Example(
            path="timecourse/B - 02(fld 01 wv Blue - FITC - time 01 - 0 ms).tif",
            well="B2",
            site=1,
            time_point=0,
            channel="Blue - FITC",
        ),
        Example(
            path="B - 02(fld 1 wv 473 - Green1 time 02 - 1800000ms).tif",
            well="B2",
            site=1,
            time_point=1,
            channel="473 - Green1",
        ),
        Example(
            path="A - 01(fld 1 wv UV - DAPI z 3 time 2 - 2636ms).tif",
            well="A1",
            site=1,
            time_point=1,
            channel="UV - DAPI",
            z=3,
        ),
        Example(path="H - 12(fld 1 z 1- time 1 - 0 ms).tif", well="H12", site=1, time_point=0, z=1),
        Example(path="N - 6(fld 1- time 1 - 22858 ms).tif", well="N6", site=1, time_point=0),
        Example(
            path="C - 6(fld 1 wv TL - Bright field - open z 01).tif",
            well="C6",
            site=1,
            channel="TL - Bright field - open",
            z=1,
        ),
        Example(
            path="F - 001(fld 01 wv TL-Brightfield - DAPI).tif",
            well="F1",
            site=1,
            channel="TL-Brightfield - DAPI",
        ),
        Example(
            path="D - 05(wv TL-Brightfield - Cy3).tif", well="D5", channel="TL-Brightfield - Cy3"
        ),
        Example(
            path="Plate1_HA41_B - 01(fld 01 wv 390 - Blue).tif",
            plate="Plate1_HA41",
            well="B1",
            site=1,
            channel="390 - Blue",
        ),
        Example(
            path="Bartek 384w BD 10x_CETSApilot2_11_2019.09.06.05.07.57/"
            "B - 02(fld 1 wv Cy3 - Cy3).tif",
            plate="Bartek 384w BD 10x_CETSApilot2_11",
            well="B2",
            site=1,
            moment=datetime(2019, 9, 6, 5, 7, 57),  # noqa: DTZ001 - names hold no zone
            channel="Cy3 - Cy3",
        ),
    ),
)
