"""File names of scopewatch's simulator, recommended for exports."""

from scopewatch.sources.layouts.layout import Example, Layout
from scopewatch.sources.layouts.parts import NAME, PLATE, WELL

LAYOUT = Layout(
    name="scopewatch",
    program="scopewatch's simulator, and exports under its names",
    patterns=(
        rf"{NAME}(?:{PLATE}_)?{WELL}_s(?P<site>\d+)_t(?P<time_point>\d+)"
        r"_(?P<channel>[^/_.]+)\.[^/]+$",
    ),
    examples=(
        Example(
            path="run1/plate_A1_s0_t0003_phase.tif",
            plate="plate",
            well="A1",
            site=0,
            time_point=3,
            channel="phase",
        ),
        Example(
            path="my_plate_h12_s2_t0013_gfp.ome.tif",
            plate="my_plate",
            well="H12",
            site=2,
            time_point=13,
            channel="gfp",
        ),
    ),
)
