"""ZEN (Zeiss): the files of its image export.

`NAME_s013t001c1_ORG.tif`: scene, time point, channel and others, each where there are several; all
count from 1. The name before them is the run; for scenes that were split before, it ends
with scene, position and well: `NAME-Scene-01-P1-E04`.
"""

from scopewatch.sources.layouts.layout import EXPORTED, Example, Layout
from scopewatch.sources.layouts.parts import END, NAME, WELL

_SCENE = r"(?:b\d+)?(?:s(?P<site>\d+)_?)?(?:v\d+_?)?"
_BEGIN = rf"{NAME}(?:[^/]*?[_-])?{_SCENE}"
_TIME = r"(?:t(?P<time_point>\d+)_?)?"
_PLANE = r"(?:z(?P<z>\d+)_?)?"
_REST = rf"(?:m\d+)?(?:x\d+-\d+)?(?:y\d+-\d+)?(?:_ORG)?{END}"
_END = rf"(?P<channel_code>c\d+){_REST}"
_SPLIT = rf"{NAME}[^/]*?-Scene-\d+-P(?P<site>\d+)-{WELL}(?:[_-](?:s\d+_?)?{_TIME}{_PLANE}"

LAYOUT = Layout(
    name="zen",
    program="ZEN (Zeiss), image export",
    patterns=(
        rf"{_SPLIT}(?P<channel_code>c\d+)?)?{_REST}",
        f"{_BEGIN}{_TIME}{_PLANE}{_END}",
        f"{_BEGIN}{_PLANE}{_TIME}{_END}",
        # Without channels.
        rf"{NAME}(?![^/]*[\d_-]c\d)(?:[^/]*?[_-])?(?=[st]\d){_SCENE}{_TIME}{_PLANE}{_REST}",
    ),
    counts_from={"time_point": 1, "z": 1},
    distrusts=EXPORTED,
    examples=(
        Example(path="20181113_HCC_d0-2_t42c1_ORG.tif", time_point=41, channel="c1"),
        Example(path="Mitomycin/s013t001c1_ORG.tif", site=13, time_point=0, channel="c1"),
        Example(path="Snap-2066-Image Export-01_c1_ORG.tif", channel="c1"),
        Example(path="demoplate_01_s01t1.tif", site=1, time_point=0),
        Example(path="3500001454_100X_20171023_1-Scene-01-P1-E04.tiff", well="E4", site=1),
        Example(path="z-scan_z06c2_ORG.tif", channel="c2", z=6),
    ),
)
