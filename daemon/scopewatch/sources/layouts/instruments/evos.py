"""EVOS (Thermo Fisher): scans of plates.

`A01f00d0` is well, field and channel. Before it come the variant of the field (`R` raw, `D`
display, `M`), the pass `p00`, the plane `z01` and the number of the grid in the vessel. A scan has
a folder of its own, whose name ends with the local time of its start, which dates its images;
without such a folder the pass is the time point. `T` before the variant marks stitches.
"""

from datetime import datetime

from scopewatch.sources.layouts.layout import Example, Layout, Never
from scopewatch.sources.layouts.parts import NAME, WELL

_PLATE = r"(?P<plate>[^/]+?)"
_FIELD = rf"{WELL}f(?P<site>\d+)(?P<channel_code>d\d+)(?: - (?P<channel>[^/]+?))?\.[^/]+$"
_DATED = (
    r"(?<![^/])[^/]*\.(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"-(?P<hours>\d\d)-(?P<minutes>\d\d)-(?P<seconds>\d\d)/(?:[^/]+/)*"
)
_VARIANT = r"(?:_[MRD]\d?)?"
_REST = rf"(?:_z(?P<z>\d+))?_\d+_{_FIELD}"

LAYOUT = Layout(
    name="evos",
    program="EVOS (Thermo Fisher)",
    patterns=(
        rf"{_DATED}{_PLATE}{_VARIANT}_p\d+{_REST}",
        rf"{NAME}{_PLATE}{_VARIANT}_p(?P<time_point>\d+){_REST}",
        rf"{NAME}(?:{_PLATE}_)?(?:t(?P<time_point>\d+)_)?{_FIELD}",
    ),
    never=(Never(pattern=r"_T[MRD]\d?_p\d+_[^/]*$", reason="a stitched image of several fields"),),
    examples=(
        Example(
            path="AMOTL2_WT_Top Slide_D_p00_0_A03f00d1 - CNN1 (Green).tif",
            plate="AMOTL2_WT_Top Slide",
            well="A3",
            site=0,
            time_point=0,
            channel="CNN1 (Green)",
        ),
        Example(
            path="P1_Plate_M_p00_z00_0_A01f00d0.TIF",
            plate="P1_Plate",
            well="A1",
            site=0,
            time_point=0,
            channel="d0",
            z=0,
        ),
        Example(
            path="scan_t0004_B03f02d0.tif",
            plate="scan",
            well="B3",
            site=2,
            time_point=4,
            channel="d0",
        ),
        Example(
            path="SPF-4MM-22 slide 9-S6_Top Slide_TR2_p00_0_A01f00d0.tiff",
            never="a stitched image of several fields",
        ),
        Example(
            path="D6_auto_Plate_M_p00_z01_0_A01f00d0.TIF",
            plate="D6_auto_Plate",
            well="A1",
            site=0,
            time_point=0,
            channel="d0",
            z=1,
        ),
        Example(
            path="LiveDead2_Plate_R_p00_0_A01f00d0.TIF",
            plate="LiveDead2_Plate",
            well="A1",
            site=0,
            time_point=0,
            channel="d0",
        ),
        Example(
            path="scan.2024-05-06-07-08-09/scan_Plate_TR_p00_0_B03f00d3.TIFF",
            never="a stitched image of several fields",
        ),
        Example(
            path="A02.2020-08-27-20-07-49/A02_Bottom Slide_R_p01_0_A01f10d2.TIF",
            plate="A02_Bottom Slide",
            well="A1",
            site=10,
            moment=datetime(2020, 8, 27, 20, 7, 49),  # noqa: DTZ001 - names hold no zone
            channel="d2",
        ),
        Example(
            path="Beacon-73/scan_Plate_D_p1_0_D01f00d1.PNG",
            plate="scan_Plate",
            well="D1",
            site=0,
            time_point=1,
            channel="d1",
        ),
        Example(
            path="scan_R_p2_z1_0_B03f01d0.tif",
            plate="scan",
            well="B3",
            site=1,
            time_point=2,
            channel="d0",
            z=1,
        ),
    ),
)
