"""LumaViewPro (Etaluma): the images of a protocol of a Lumascope.

`A1_PC_TB2_4xOly_Z0_0012.tiff`: well, channel, tile, objective, plane and scan; a text of the user
may come before the well, and what there is only one of is left out. Scans and planes count from 0.
A tile is named by row and column of its grid; its site is 100 x row + column: `TA1` 1, `TB2` 102.
"""

from scopewatch.sources.layouts.layout import Example, Layout, Never
from scopewatch.sources.layouts.parts import END, NAME, PLATE, WELL

_TILE = r"(?=(?:[^/]*?_T(?P<site>[A-Z]\d{1,2})[_.])?)"
_PLANE = r"(?=(?:[^/]*?_Z(?P<z>\d{1,4})_)?)"
# A step that is there twice has a number behind the scan.
_SCAN = r"(?P<time_point>\d{4}|\d{6})(?:_\d{6})?(?:_T[A-Z]\d{1,2})?"

LAYOUT = Layout(
    name="lumaview",
    program="LumaViewPro (Etaluma)",
    patterns=(
        rf"{NAME}(?:{PLATE}_)?{WELL}_(?P<channel>BF|PC|DF|EP|Lumi|Blue|Green|Red)(?=_)"
        rf"{_TILE}{_PLANE}(?:_[^/]*?)?_{_SCAN}{END}",
    ),
    never=(
        Never(
            pattern=r"(?:_stitched|_zproj_\w+|_video|_stack|_hyperstack|_Composite_[^/]*)\.[^/]+$",
            reason="computed from several images",
        ),
    ),
    examples=(
        Example(path="A1_BF_4xOly_0000.tiff", well="A1", time_point=0, channel="BF"),
        Example(
            path="run 8_B12_PC_TB2_4xOly_Z0_0012.ome.tiff",
            plate="run 8",
            well="B12",
            site=102,
            time_point=12,
            channel="PC",
            z=0,
        ),
        Example(
            path="PC/A1_PC_TA1_0003_000001.tiff", well="A1", site=1, time_point=3, channel="PC"
        ),
        Example(
            path="A1_Green_Z2_000004_TA3.tiff",
            well="A1",
            site=3,
            time_point=4,
            channel="Green",
            z=2,
        ),
        Example(path="A1_BF_4xOly_0000_stitched.tiff", never="computed from several images"),
        Example(path="A1_Composite_4xOly_0000.tiff", never="computed from several images"),
        Example(path="A1_TA1_4xOly_hyperstack.tiff", never="computed from several images"),
    ),
)
