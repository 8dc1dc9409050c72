"""NIS-Elements (Nikon): files of a series split on export.

`NAMEt001xy01z1c1.tif`: time point, point of the stage, plane and channel, each where there are
several; all count from 1. The name before names the experiment.
"""

from scopewatch.sources.layouts.layout import Example, Layout
from scopewatch.sources.layouts.parts import NAME

LAYOUT = Layout(
    name="nis",
    program="NIS-Elements (Nikon), series split into files",
    patterns=(
        rf"{NAME}[^/]*?(?:(?<![A-Za-z])t(?P<time_point>\d+))?_?(?i:xy)(?P<site>\d+)"
        r"_?(?:z(?P<z>\d+))?_?(?P<channel_code>[cC]\d+)?\.\w+$",
        rf"{NAME}[^/]*?(?<![A-Za-z])t(?P<time_point>\d+)_?(?:z(?P<z>\d+))?_?"
        r"(?P<channel_code>[cC]\d+)\.\w+$",
    ),
    counts_from={"time_point": 1, "z": 1},
    examples=(
        Example(path="260430_t001xy01c1.tif", site=1, time_point=0, channel="c1"),
        Example(path="MG1655_t124xy1c2.tif", site=1, time_point=123, channel="c2"),
        Example(path="single_plane_1-2000_2xy01c1.tif", site=1, channel="c1"),
    ),
)
