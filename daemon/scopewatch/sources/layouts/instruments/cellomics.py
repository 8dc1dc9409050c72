"""Cellomics ArrayScan and CellInsight (Thermo Fisher), exported as TIFF.

`AS_09125_050116030001_D03f00d0`: plate, well, field and channel; `o` in place of `d` marks an
overlay drawn by the analysis. Kinetic scans put the time point, which counts from 1, behind the
plate without a separator: `020506plateruni3t001A01f01d2`.
"""

from scopewatch.sources.layouts.layout import Example, Layout, Never
from scopewatch.sources.layouts.parts import END, NAME, PLATE, WELL

_FIELD = rf"{WELL}f(?P<site>\d+)(?P<channel_code>d\d+){END}"

LAYOUT = Layout(
    name="cellomics",
    program="Cellomics ArrayScan, CellInsight (Thermo Fisher)",
    patterns=(
        rf"{NAME}(?P<plate>[^/]+?)??i3t(?P<time_point>\d{{3}}){_FIELD}",
        rf"{NAME}(?:{PLATE}_)?{_FIELD}",
    ),
    counts_from={"time_point": 1},
    never=(
        Never(
            pattern=r"(?<![^/])[^/]*_[A-Za-z]{1,2}\d\d?f\d+o\d+\.\w+$",
            reason="an overlay drawn by the analysis",
        ),
    ),
    examples=(
        Example(
            path="AS_09125_050116030001_D03f00d0.tif",
            plate="AS_09125_050116030001",
            well="D3",
            site=0,
            channel="d0",
        ),
        Example(path="B12f13d2.TIFF", well="B12", site=13, channel="d2"),
        Example(path="i3t001A01f01d2.TIF", well="A1", site=1, time_point=0, channel="d2"),
        Example(
            path="020506plateruni3t012A01f01d2.TIF",
            plate="020506platerun",
            well="A1",
            site=1,
            time_point=11,
            channel="d2",
        ),
        Example(
            path="AS_09047_050428030001_O14f01d2.TIF",
            plate="AS_09047_050428030001",
            well="O14",
            site=1,
            channel="d2",
        ),
    ),
)
