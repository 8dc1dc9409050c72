"""Keyence BZ-X: one file for each channel, with a colour thumbnail as its second page.

Names begin with a text of the user, then time point, position, the tile of a stitch (five digits),
plane and channel, each where the acquisition had it. Fields `XY01` are not wells: `wells:` of the
source maps them. Scans of plates count wells and points (`W001_P00001`) in place of fields.
"""

from scopewatch.sources.layouts.layout import Example, Layout, Never, Pages
from scopewatch.sources.layouts.parts import NAME

_PLATE = r"(?:(?P<plate>[^/]+?)_)?"
_TIME = r"T(?P<time_point>\d{3,})_"
_FIELD = r"(?P<well>XY\d+)_"
_CHANNEL = r"(?:Z(?P<z>\d+)_)?(?P<channel_code>CH\d+)\.[^/]+$"
_REST = rf"(?:(?P<site>\d{{5}})_)?{_CHANNEL}"
# A field in words, which must not become part of the plate's name.
_NO_FIELD = r"(?![^/]*(?:XY\d+|W\d+_P\d+)[_.])"

LAYOUT = Layout(
    name="keyence",
    program="Keyence BZ-X",
    patterns=(
        rf"(?i){NAME}{_PLATE}{_TIME}{_FIELD}{_REST}",
        rf"(?i){NAME}{_PLATE}{_FIELD}{_TIME}{_REST}",
        rf"(?i){NAME}(?:Image_|{_PLATE})W(?P<well>\d+)_P(?P<site>\d+)_(?:{_TIME})?{_CHANNEL}",
        # `Image` is the program's name for a file that nobody named.
        rf"(?i){NAME}(?:Image_|{_PLATE}){_FIELD}{_REST}",
        # The field may be in the folder alone, or there is only one.
        rf"(?i)(?:(?<![^/])(?P<well>XY\d+)/)?(?<![^/]){_NO_FIELD}(?:Image_|{_PLATE})(?:{_TIME})?{_REST}",
        # Without channels.
        rf"(?i){NAME}{_PLATE}{_TIME}(?P<well>XY\d+)(?:_Z(?P<z>\d+))?\.[^/]+$",
    ),
    counts_from={"time_point": 1, "z": 1},
    never=(
        Never(pattern=r"(?i)_overlay\.[^/]+$", reason="an overlay of several channels in colour"),
    ),
    pages=Pages.FIRST,
    distrusts=frozenset({"pixel_size_um"}),
    examples=(
        Example(path="XY01/Image_XY01_00001_CH1.tif", well="XY01", site=1, channel="CH1"),
        Example(
            path="10X_T0001_XY01_00001_Z001_CH2.tif",
            plate="10X",
            well="XY01",
            site=1,
            time_point=0,
            channel="CH2",
            z=1,
        ),
        Example(
            path="Image_T0047_XY01_Z001_CH4.tif",
            plate="Image",
            well="XY01",
            time_point=46,
            channel="CH4",
            z=1,
        ),
        Example(
            path="XY01/ApYYM20AGGSMA_XY01_CH4.tif",
            plate="ApYYM20AGGSMA",
            well="XY01",
            channel="CH4",
        ),
        Example(path="1_00001_Z001_CH1.tif", plate="1", site=1, channel="CH1", z=1),
        Example(
            path="XY01/Image_T0002_Z003_CH1.tif", well="XY01", time_point=1, channel="CH1", z=3
        ),
        Example(path="nd001_T0001_XY1.tif", plate="nd001", well="XY1", time_point=0),
        Example(
            path="T0001/10X_T0001_XY02_Z001_CH2.tif",
            plate="10X",
            well="XY02",
            time_point=0,
            channel="CH2",
            z=1,
        ),
        Example(
            path="W001/P00001/T0004/wt_W001_P00001_T0004_Z005_CH1.tif",
            plate="wt",
            well="1",
            site=1,
            time_point=3,
            channel="CH1",
            z=5,
        ),
        Example(path="HM_W012_P00002_CH2.tif", plate="HM", well="12", site=2, channel="CH2"),
        Example(
            path="Image_T0043_XY01_Z001_Overlay.tif",
            never="an overlay of several channels in colour",
        ),
    ),
)
