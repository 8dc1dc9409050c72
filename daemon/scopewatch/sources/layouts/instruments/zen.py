"""ZEN (Zeiss): the files of its image export.

`NAME_s013t001c1_ORG.tif`: scene, time point, channel and others, each where there are several; all
count from 1. The name before names the experiment.
"""

from scopewatch.sources.layouts.layout import EXPORTED, Example, Layout
from scopewatch.sources.layouts.parts import NAME

_BEGIN = rf"{NAME}(?:[^/]*?[_-])?(?:b\d+)?(?:s(?P<site>\d+))?(?:v\d+)?"
_TIME = r"(?:t(?P<time_point>\d+))?"
_PLANE = r"(?:z(?P<z>\d+))?"
_END = r"(?P<channel_code>c\d+)(?:m\d+)?(?:x\d+-\d+)?(?:y\d+-\d+)?(?:_ORG)?\.\w+$"

LAYOUT = Layout(
    name="zen",
    program="ZEN (Zeiss), image export",
    patterns=(f"{_BEGIN}{_TIME}{_PLANE}{_END}", f"{_BEGIN}{_PLANE}{_TIME}{_END}"),
    counts_from={"time_point": 1, "z": 1},
    distrusts=EXPORTED,
    examples=(
        Example(path="20181113_HCC_d0-2_t42c1_ORG.tif", time_point=41, channel="c1"),
        Example(path="Mitomycin/s013t001c1_ORG.tif", site=13, time_point=0, channel="c1"),
        Example(path="Snap-2066-Image Export-01_c1_ORG.tif", channel="c1"),
        Example(path="z-scan_z06c2_ORG.tif", channel="c2", z=6),
    ),
)
