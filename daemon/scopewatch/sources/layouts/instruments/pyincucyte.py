"""Incucyte images that the Python package PyIncucyte downloads.

The third field is the type of the image (1 phase, 2 green, 3 red), where Incucyte's own exports
have the site: the name does not show which, so the user chooses by the layout.
"""

from datetime import datetime

from scopewatch.sources.layouts.layout import EXPORTED, Example, Layout
from scopewatch.sources.layouts.parts import NAME, PLATE, WELL

_IMAGE = rf"{NAME}{PLATE}_{WELL}(?:_s(?P<site>\d+))?_(?P<channel_code>\d+|[A-Za-z]\w*?)_"
# After the time: processing of the pixels (`_cal-bg`).
_END = r"(?:_[a-z-]+)?\.[^/]+$"

LAYOUT = Layout(
    name="pyincucyte",
    program="Incucyte, downloaded by PyIncucyte",
    patterns=(
        rf"{_IMAGE}(?P<days>\d{{1,3}})d(?P<hours>\d\d)h(?P<minutes>\d\d)m{_END}",
        rf"{_IMAGE}(?P<year>\d{{4}})(?P<month>\d\d)(?P<day>\d\d)"
        rf"_(?P<hours>\d\d)(?P<minutes>\d\d)(?P<seconds>\d\d){_END}",
    ),
    distrusts=EXPORTED,
    examples=(
        Example(
            path="VID38_A1_1_00d12h00m.tif", plate="VID38", well="A1", elapsed_h=12, channel="1"
        ),
        Example(
            path="VID38_H12_2_02d06h30m_cal-bg.tif",
            plate="VID38",
            well="H12",
            elapsed_h=54.5,
            channel="2",
        ),
        Example(
            path="VID38_A1_1_20260323_123000.tif",
            plate="VID38",
            well="A1",
            moment=datetime(2026, 3, 23, 12, 30),  # noqa: DTZ001 - names hold no zone
            channel="1",
        ),
    ),
)
