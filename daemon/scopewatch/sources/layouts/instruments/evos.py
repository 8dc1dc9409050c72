"""EVOS (Thermo Fisher): scans of plates.

`A01f00d0` is well, field and channel. Before it stand the variant of the field (`M`, `R`, `D`), the
pass `p00`, the plane `z01` and the number of the scan. A scan has a folder of its own, whose name
ends with the local time it began.
"""

from datetime import datetime

from scopewatch.sources.layouts.layout import Example, Layout
from scopewatch.sources.layouts.parts import NAME, PLATE, WELL

_FIELD = rf"{WELL}f(?P<site>\d+)(?P<channel_code>d\d+)\.[^/]+$"
_DATED = (
    r"(?<![^/])[^/]*\.(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"-(?P<hours>\d\d)-(?P<minutes>\d\d)-(?P<seconds>\d\d)/(?:[^/]+/)*"
)
_SCAN = r"(?:_[MRD])?_p\d+(?:_z(?P<z>\d+))?_"

LAYOUT = Layout(
    name="evos",
    program="EVOS (Thermo Fisher)",
    patterns=(
        rf"{_DATED}{PLATE}{_SCAN}\d+_{_FIELD}",
        rf"{NAME}{PLATE}{_SCAN}(?P<time_point>\d+)_{_FIELD}",
        rf"{NAME}{PLATE}_(?:t(?P<time_point>\d+)_)?{_FIELD}",
    ),
    examples=(
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
            path="A02.2020-08-27-20-07-49/A02_Bottom Slide_R_p01_0_A01f10d2.TIF",
            plate="A02_Bottom Slide",
            well="A1",
            site=10,
            moment=datetime(2020, 8, 27, 20, 7, 49),  # noqa: DTZ001 - names hold no zone
            channel="d2",
        ),
    ),
)
