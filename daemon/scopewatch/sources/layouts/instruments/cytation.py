"""Cytation and Lionheart (BioTek, Agilent), exported by Gen5.

`A1_01_1_4_Phase Contrast_001`: well, step of the protocol, position of the channel, field, channel,
time point. Newer versions: `B2_1_Bright Field_1_001_02`: well, field, channel, then time point.
"""

from scopewatch.sources.layouts.layout import EXPORTED, Example, Layout, Never
from scopewatch.sources.layouts.parts import NAME, WELL

_CHANNEL = r"(?P<channel>[^/]+?)"

LAYOUT = Layout(
    name="cytation",
    program="Cytation, Lionheart (BioTek, Agilent): Gen5",
    patterns=(
        rf"{NAME}{WELL}_-?\d+_\d+_(?P<site>\d+)(?:Z(?P<z>\d+))?_{_CHANNEL}"
        r"_(?P<time_point>\d+)\.[^/]+$",
        rf"{NAME}{WELL}_(?P<site>\d+)(?:Z(?P<z>\d+))?_{_CHANNEL}_\d+_(?P<time_point>\d+)"
        r"_-?\d*\.[^/]+$",
    ),
    counts_from={"time_point": 1},
    never=(Never(pattern=r"Stitched\[[^/]*$", reason="a stitched image of several fields"),),
    distrusts=EXPORTED,
    examples=(
        Example(
            path="A1_01_1_4_Phase Contrast_001.tif",
            well="A1",
            site=4,
            time_point=0,
            channel="Phase Contrast",
        ),
        Example(
            path="A1_-1_1_1_Stitched[Channel1 300,400]_001.tif",
            never="a stitched image of several fields",
        ),
        Example(
            path="A1_-2_1_1_Tsf[Stitched[Channel1 300,400]]_001.tif",
            never="a stitched image of several fields",
        ),
        Example(
            path="A10_02_1_1_Bright_Field_012.tif",
            well="A10",
            site=1,
            time_point=11,
            channel="Bright_Field",
        ),
        Example(
            path="B2_1_Bright Field_1_001_02.tif",
            well="B2",
            site=1,
            time_point=0,
            channel="Bright Field",
        ),
        Example(
            path="A1_1Z3_DAPI_1_001_.tif", well="A1", site=1, time_point=0, channel="DAPI", z=3
        ),
        Example(
            path="ID_A10 info/A10_-1_2_1_GFP_001.tif",
            well="A10",
            site=1,
            time_point=0,
            channel="GFP",
        ),
    ),
)
