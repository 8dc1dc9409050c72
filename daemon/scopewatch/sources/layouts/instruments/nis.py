"""NIS-Elements (Nikon): series that were split into files on export.

`NAMEt001xy01z1c1.tif`: time point, stage point, plane and channel, each where there are several;
all count from 1. The name before them is the run. JOBS writes
`WellA01_PointA01_0000_ChannelPhase_Seq0000.tiff` in folders of their local time; its time points
count from 0.
"""

from datetime import datetime

from scopewatch.sources.layouts.layout import EXPORTED, Example, Layout
from scopewatch.sources.layouts.parts import END, NAME

_DATED = (
    r"(?<![^/])(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)_(?P<hours>\d\d)(?P<minutes>\d\d)"
    r"(?P<seconds>\d\d)_\d+(?:__|/)"
)
_WELL = r"(?P<well>(?:A[A-F]|[A-Z])\d{1,2})"
_WELL_POINT = rf"Well{_WELL}(?:_Point[^/_]*(?:_(?P<site>\d+))?)?"
# Points of a plate are named by their well.
_POINT_OF_WELL = rf"Point{_WELL}_(?P<site>\d+)"
_Z = r"(?:_Z(?:Stack)?(?P<z>\d+))?"
_JOBS = rf"{_Z}(?:_Channel(?P<channel>[^/]+?))?(?:_Cycle\d+)?_Seq\d+{END}"
_OF_POINT = _JOBS.replace(r"_Seq\d+", r"(?:_Seq\d+)?")
# A letter before it belongs to the name of the run, unless the next counter follows at once.
_TIME = r"(?:(?<![A-Za-z])(?=[tT])|(?=[tT]\d+[xXzZcC]))[tT](?P<time_point>\d+)"
_POINT = r"(?i:xy)(?P<site>\d+)_?"
_PLANE = r"(?:[zZ](?P<z>\d+)_?)?"
_CHANNEL = r"(?P<channel_code>[cC]\d+)"

LAYOUT = Layout(
    name="nis",
    program="NIS-Elements (Nikon), series split into files",
    patterns=(
        rf"{NAME}[^/]*?(?:{_TIME})?_?{_POINT}{_PLANE}{_CHANNEL}?{END}",
        # The user chooses their order.
        rf"{NAME}[^/]*?{_POINT}[tT](?P<time_point>\d+)_?{_PLANE}{_CHANNEL}?{END}",
        rf"{NAME}[^/]*?{_POINT}{_PLANE}{_CHANNEL}_?[tT](?P<time_point>\d+){END}",
        rf"{_DATED}{_WELL_POINT}{_JOBS}",
        rf"{NAME}{_WELL_POINT}{_JOBS}",
        rf"{_DATED}{_POINT_OF_WELL}{_OF_POINT}",
        rf"{NAME}(?![^/]*(?i:xy)\d)[^/]*?{_TIME}_?{_PLANE}{_CHANNEL}{END}",
    ),
    counts_from={"time_point": 1, "z": 1},
    distrusts=EXPORTED,
    examples=(
        Example(
            path="P1/20260428_161449_035/WellA01_PointA01_0003_ChannelCam-DIA DIC Master"
            " Screening_Seq0000.tiff",
            well="A1",
            site=3,
            moment=datetime(2026, 4, 28, 16, 14, 49),  # noqa: DTZ001 - names hold no zone
            channel="Cam-DIA DIC Master Screening",
        ),
        Example(
            path="plate/20230609_143142_722__PointB02_0000_ZStack0015_ChannelSYTO_Spheroid.ome.tiff",
            well="B2",
            site=0,
            moment=datetime(2023, 6, 9, 14, 31, 42),  # noqa: DTZ001
            channel="SYTO_Spheroid",
            z=15,
        ),
        Example(path="WellH12_PointH12_0000_Seq0095.tiff", well="H12", site=0),
        Example(path="Well_A1_Sample_01_XY01C1.tif", site=1, channel="C1"),
        Example(path="260430_t001xy01c1.tif", site=1, time_point=0, channel="c1"),
        Example(path="MG1655_t124xy1c2.tif", site=1, time_point=123, channel="c2"),
        Example(path="expt001xy1c1.tif", site=1, time_point=0, channel="c1"),
        Example(
            path="wellplateneutralizationt1monoxy02c1t3.tif", site=2, time_point=2, channel="c1"
        ),
        Example(
            path="WellA1_PointA1_0000_ChannelCHN1_Cycle03_Seq0000.ome.tiff",
            well="A1",
            site=0,
            channel="CHN1",
        ),
        Example(path="single_plane_1-2000_2xy01c1.tif", site=1, channel="c1"),
    ),
)
