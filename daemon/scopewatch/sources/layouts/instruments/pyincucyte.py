"""Incucyte images that the Python package PyIncucyte downloads.

The third field is the type of the image (1 phase, 2 green, 3 red), where Incucyte's own exports
have the site: the name does not tell which, only the user can, by the layout.
"""

from scopewatch.sources.layouts.layout import Example, Layout
from scopewatch.sources.layouts.parts import NAME, PLATE, WELL

LAYOUT = Layout(
    name="pyincucyte",
    program="Incucyte, downloaded by PyIncucyte",
    patterns=(
        rf"{NAME}{PLATE}_{WELL}_(?P<channel_code>\d+)_(?P<days>\d{{1,3}})d(?P<hours>\d\d)h"
        r"(?P<minutes>\d\d)m\.[^/]+$",
    ),
    examples=(
        Example(
            path="VID38_A1_1_00d12h00m.tif", plate="VID38", well="A1", elapsed_h=12, channel="1"
        ),
    ),
)
