"""ImageXpress (Molecular Devices, MetaXpress).

`PLATE_C07_s1_w1GUID.tif`, in folders `TimePoint_1` and `ZStep_1`. The GUID follows the number of
the wavelength without a separator, and may begin with a digit.
"""

from scopewatch.sources.layouts.layout import Example, Layout, Never
from scopewatch.sources.layouts.parts import PLATE, WELL

_GUID = r"(?:[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12})?"
_TIME = r"(?:(?<![^/])(?i:timepoint)_(?P<time_point>\d+)/)?"
_PLACE = (
    rf"(?<![^/])(?:{PLATE}_)?{WELL}(?=_[sw]\d)"
    r"(?:_s(?P<site>\d+?))?(?:_(?P<channel_code>w\d+?))?"
)

LAYOUT = Layout(
    name="imagexpress",
    program="ImageXpress (Molecular Devices, MetaXpress)",
    patterns=(
        rf"{_TIME}(?:(?<![^/])(?i:zstep)_(?P<z>\d+)/)?{_PLACE}{_GUID}\.[^/]+$",
        rf"{_TIME}{_PLACE}(?:_z(?P<z>\d+))?{_GUID}\.[^/]+$",
    ),
    counts_from={"time_point": 1, "z": 1},
    never=(Never(pattern=r"(?i)_thumb[0-9a-f-]*\.[^/]+$", reason="a thumbnail"),),
    examples=(
        Example(
            path="TimePoint_2/1well-3C-2S-Zmix-T_C07_s1_w1401562CF-BD52-4C90-A944-83185F26B372.tif",
            plate="1well-3C-2S-Zmix-T",
            well="C7",
            site=1,
            time_point=1,
            channel="w1",
        ),
        Example(path="A01_s1_w2_z3.tif", well="A1", site=1, channel="w2", z=3),
        Example(
            path="Week1_22123/Week1_22123_B02_s2_w1BEDC2073-A983-4B98-95E9-84466707A25D.tif",
            plate="Week1_22123",
            well="B2",
            site=2,
            channel="w1",
        ),
        Example(
            path="plate_C07_w1401562CF-BD52-4C90-A944-83185F26B372.tif",
            plate="plate",
            well="C7",
            channel="w1",
        ),
        Example(
            path="Projection-Mix_E07_s1_w1_thumb4BFD4018-E675-475E-B5AB-2E959E6B6DA1.tif",
            never="a thumbnail",
        ),
        Example(
            path="ZStep_2/Projection-Mix_E07_s1_w189A35A04-20E3-47AD-A1F9-8065B2840EFD.tif",
            plate="Projection-Mix",
            well="E7",
            site=1,
            channel="w1",
            z=2,
        ),
    ),
)
