"""Cellomics ArrayScan and CellInsight (Thermo Fisher), exported as TIFF.

`AS_09125_050116030001_D03f00d0`: plate, well, field and channel; `o` in place of `d` marks an
overlay drawn by the analysis. The program writes no time points.
"""

from scopewatch.sources.layouts.layout import Example, Layout, Never
from scopewatch.sources.layouts.parts import END, NAME, PLATE, WELL

LAYOUT = Layout(
    name="cellomics",
    program="Cellomics ArrayScan, CellInsight (Thermo Fisher)",
    patterns=(rf"{NAME}(?:{PLATE}_)?{WELL}f(?P<site>\d+)(?P<channel_code>d\d+){END}",),
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
        Example(
            path="AS_09047_050428030001_O14f01d2.TIF",
            plate="AS_09047_050428030001",
            well="O14",
            site=1,
            channel="d2",
        ),
    ),
)
