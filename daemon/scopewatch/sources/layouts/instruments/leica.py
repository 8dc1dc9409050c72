"""Leica LAS X: exported TIFFs.

The names of the project and the image come first: they name the run, no plate. Then come the
well (`A_1`, or `A1` after the tile scan), the position of a mark-and-find experiment or the tile,
and `t`, `z` and `ch`, which count from 0, in an order that differs between versions. Files that the
program saves automatically are named `Position 1--Stage00--Z00--C00`.
"""

from scopewatch.sources.layouts.layout import EXPORTED, Example, Layout, Never
from scopewatch.sources.layouts.parts import END, NAME, token

_SITE = r"(?:p|s|S|R|(?i:pos(?:ition)?) ?|[A-P]\d{1,2}-)"
_ROW_AND_COLUMN = r"[^/]*?_(?P<row>A[A-F]|[A-P])_(?P<column>\d{1,2})_"
# `H9` is a stem cell line: except after a tile scan only `H09` is a well.
_WELL = (
    r"[^/]*?(?:TileScan[^/_]*_|_(?=[A-P](?:0[1-9]|[12]\d)[_-]))"
    r"(?P<well>[A-P]\d{1,2})(?:-\d+)?_"
)
# Names of the matrix screener, with `--U01--V02`, hold a well that would be lost.
_NO_WELL = r"(?![^/]*--[ABD-SU-Y]\d)"
_COUNTED = rf"(?:--[tT](?P<time_point>\d+))?(?:--Z(?P<z>\d+))?(?:--(?P<channel_code>C\d+))?{END}"

LAYOUT = Layout(
    name="leica",
    program="Leica LAS X, exported TIFFs",
    patterns=(
        # It ends with the counters: `_t00_ch00`, `_s01_z00_RAW_ch00`.
        rf"{NAME}(?=[^/]*?_(?:t|z|ch)\d+{END})(?=(?:{_ROW_AND_COLUMN}|{_WELL})?)"
        rf"(?=(?:(?:[^/]*?_)??{_SITE}(?P<site>\d{{1,4}})_)?)"
        rf"{token('t', 'time_point')}{token('z', 'z')}"
        r"(?=(?:[^/]*?_(?P<channel_code>ch\d+)[_.])?)",
        # With several tiles of a position the name does not show which tile is which frame.
        rf"{NAME}{_NO_WELL}[^/]*?(?i:pos(?:ition)?) ?(?P<site>\d+)(?:_[^/]*?)?(?=--)(?:--Stage0+)?"
        rf"{_COUNTED}",
        rf"{NAME}{_NO_WELL}(?![^/]*(?i:pos(?:ition)?) ?\d)[^/]*?(?=--)(?:--Stage(?P<site>\d+))?"
        rf"{_COUNTED}",
    ),
    never=(
        Never(pattern=r"(?i)_SV\.\w+$", reason="a view in colour, scaled for the screen"),
        Never(
            pattern=r"(?i)_overlay[^/]*\.\w+$", reason="an overlay of several channels in colour"
        ),
    ),
    distrusts=EXPORTED,
    examples=(
        Example(
            path="Project002_TileScan 2_A_1_Merged_NC_t00_ch00.tif",
            well="A1",
            time_point=0,
            channel="ch00",
        ),
        Example(
            path="Mark_and_Find_001_LacZ_p002_t00_ch00.tif", site=2, time_point=0, channel="ch00"
        ),
        Example(path="Pos007_S001_t50_z01_ch00.tif", site=7, time_point=50, channel="ch00", z=1),
        Example(path="TileScan 1_A1_ch00.tif", well="A1", channel="ch00"),
        Example(
            path="TileScan 2_A1-1_t0_z0_ch00.tif",
            well="A1",
            site=1,
            time_point=0,
            channel="ch00",
            z=0,
        ),
        Example(
            path="20250527_JIM783_efl-3_Position 1_t000_z00_RAW_ch00.tif",
            site=1,
            time_point=0,
            channel="ch00",
            z=0,
        ),
        Example(path="TileScan 1/Position 12--Stage00--Z03--C01.tif", site=12, channel="C01", z=3),
        Example(path="TileScan 1--Stage07--Z00--C00.tif", site=7, channel="C00", z=0),
        Example(path="Project001_Series002_z01_ch00.tif", channel="ch00", z=1),
        Example(path="Image001_ch00_SV.tif", never="a view in colour, scaled for the screen"),
    ),
)
