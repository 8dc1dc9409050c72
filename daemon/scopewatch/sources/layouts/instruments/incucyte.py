"""Incucyte (Sartorius): exported images, and the instrument's own store of raw scans.

Exports contain the time since the start of the run or the local time of day; the channel is the
folder, or comes before or after the vessel's name. With one image per well there is no site number.
The raw store (`EssenFiles/ScanData/YYMM/DD/HHMM/VESSEL/A1-1-Ph.tif`) keeps each scan in folders
of its local time.
"""

from datetime import datetime

from scopewatch.sources.layouts.layout import EXPORTED, Example, Layout, Never
from scopewatch.sources.layouts.parts import NAME, WELL

# Incucyte's names of channels, alone or with a word after them (`Green Channel`).
_COLOUR = (
    r"(?i:phase|ph|phase[ _-]?contrast|bright[ _-]?field|bf|green|red|orange|nir"
    r"|near[ _-]?ir|far[ _-]?red|texas[ _-]?red|blue|cyan|yellow|gfp|rfp|cfp|yfp|m?cherry|tdtomato"
    r"|dapi|hoechst|fitc|tritc|cy[357])(?i:[ _-]?(?:channel|images?|original|calibrated))?"
)
_CHANNEL = rf"(?P<channel>{_COLOUR})"
# The nearest parent folder that has the name of a channel.
_AGAIN = r"(?i:(?P=channel))"
_ABOVE = rf"(?<![^/]){_CHANNEL}/(?:(?!{_COLOUR}/)[^/]+/)*"
_TIME = (
    r"(?:(?P<days>\d{1,3})d|(?P<year>\d{4})y(?P<month>\d\d)m(?P<day>\d\d)d_)"
    r"(?P<hours>\d\d)h(?P<minutes>\d\d)m"
)
_PLATE = r"(?P<plate>[^/]+?)"
# The number of a crop may follow the time.
_EXPORT = rf"{WELL}(?:_(?P<site>\d+))?_{_TIME}(?:_\d{{1,2}})?\.[^/]+$"

LAYOUT = Layout(
    name="incucyte",
    program="Incucyte (Sartorius): exported images, and its raw store",
    patterns=(
        # A folder with the name of a channel comes first: a colour in a file name may be the
        # plate's.
        rf"{_ABOVE}(?:{_AGAIN}_)?(?:{_PLATE}(?:[_-]{_AGAIN})?_)?{_EXPORT}",
        rf"{NAME}{_CHANNEL}_(?:{_PLATE}_)?{_EXPORT}",
        rf"{NAME}{_PLATE}[_-]{_CHANNEL}_{_EXPORT}",
        rf"{NAME}(?:{_PLATE}_)?{_EXPORT}",
        r"(?<!\d)(?P<year>\d\d)(?P<month>\d\d)/(?P<day>\d\d)/(?P<hours>\d\d)(?P<minutes>\d\d)/"
        rf"(?P<plate>[^/]+)/{WELL}-(?P<site>\d+)-(?P<channel>\w+)\.[^/]+$",
    ),
    never=(
        Never(
            pattern=r"(?i)(?<![^/])composite[_/]",
            reason="a composite of several channels in colour",
        ),
        Never(
            pattern=r"(?i)(?<![^/])[^/]*(?:mask|segmentation)[^/]*/[^/]+$",
            reason="a mask drawn by Incucyte's analysis",
        ),
    ),
    distrusts=EXPORTED,
    examples=(
        Example(
            path="phase/VID1630_C4_1_00d23h56m.tif",
            plate="VID1630",
            well="C4",
            site=1,
            elapsed_h=23.93,
            channel="phase",
        ),
        Example(
            path="red/VID1630_C4_1_00d23h56m.tif",
            plate="VID1630",
            well="C4",
            site=1,
            elapsed_h=23.93,
            channel="red",
        ),
        Example(
            path="phase_VID1630_C4_1_01d23h34m.tif",
            plate="VID1630",
            well="C4",
            site=1,
            elapsed_h=47.57,
            channel="phase",
        ),
        Example(path="phase/B10_1_00d03h00m.tif", well="B10", site=1, elapsed_h=3, channel="phase"),
        Example(path="VID167_E7_02d18h00m.tif", plate="VID167", well="E7", elapsed_h=66),
        Example(
            path="well_B1_2_2022y05m08d_08h46m.tif",
            plate="well",
            well="B1",
            site=2,
            moment=datetime(2022, 5, 8, 8, 46),  # noqa: DTZ001 - names hold no zone
        ),
        Example(
            path="EssenFiles/ScanData/2505/16/1124/1248/A1-1-Ph.tif",
            plate="1248",
            well="A1",
            site=1,
            moment=datetime(2025, 5, 16, 11, 24),  # noqa: DTZ001
            channel="Ph",
        ),
        Example(
            path="SkBr3_Phase_H3_2_02d00h00m_1.tif",
            plate="SkBr3",
            well="H3",
            site=2,
            elapsed_h=48,
            channel="Phase",
        ),
        Example(
            path="R2_MDF_green_B2_1_00d00h00m.tif",
            plate="R2_MDF",
            well="B2",
            site=1,
            elapsed_h=0,
            channel="green",
        ),
        Example(
            path="exp/Phase/DE_A549_B10_6_00d00h00m.tif",
            plate="DE_A549",
            well="B10",
            site=6,
            elapsed_h=0,
            channel="Phase",
        ),
        Example(
            path="phaseContrast_E2_4_2022y04m08d_08h00m_1.png",
            well="E2",
            site=4,
            moment=datetime(2022, 4, 8, 8, 0),  # noqa: DTZ001
            channel="phaseContrast",
        ),
        Example(
            path="MiaPaCa2-PhaseOriginal_A2_1_03d06h40m.tif",
            plate="MiaPaCa2",
            well="A2",
            site=1,
            elapsed_h=78.67,
            channel="PhaseOriginal",
        ),
        Example(
            path="composite_D2_4_2022y04m08d_08h00m.png",
            never="a composite of several channels in colour",
        ),
        Example(
            path="20150630_B8_1_2015y07m01d_08h00m.tif",
            plate="20150630",
            well="B8",
            site=1,
            moment=datetime(2015, 7, 1, 8, 0),  # noqa: DTZ001
        ),
    ),
)
