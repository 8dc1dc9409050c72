"""Yokogawa: CellVoyager CV7000 and CV8000, and CQ1.

CellVoyager: `PLATE_D08_T0001F001L01A01Z01C01.tif` (well, time point, field, time line, action,
plane, channel). CQ1: `W0001F0001T0001Z001C1.tif` with the number of the well, or
`A-02_F0001_T0020_Z0001.png` after its own export.
"""

from scopewatch.sources.layouts.layout import Example, Layout
from scopewatch.sources.layouts.parts import NAME, PLATE, WELL_1536

_NUMBERS = r"F(?P<site>\d+)_?T(?P<time_point>\d+)_?Z(?P<z>\d+)(?:_?(?P<channel_code>C\d+))?\.[^/]+$"

LAYOUT = Layout(
    name="yokogawa",
    program="Yokogawa CellVoyager (CV7000, CV8000) and CQ1",
    patterns=(
        rf"{NAME}{PLATE}_{WELL_1536}_T(?P<time_point>\d+)F(?P<site>\d+)L\d+A\d+Z(?P<z>\d+)"
        r"(?P<channel_code>C\d+)\.[^/]+$",
        rf"{NAME}(?:{PLATE}_)?W(?P<well>\d+){_NUMBERS}",
        rf"{NAME}(?:{PLATE}_)?(?P<row>[A-Z]|A[A-F])-?(?P<column>\d\d)_{_NUMBERS}",
    ),
    counts_from={"time_point": 1, "z": 1},
    examples=(
        Example(
            path="X_D08_T0001F001L01A01Z01C01.tif",
            plate="X",
            well="D8",
            site=1,
            time_point=0,
            channel="C01",
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
