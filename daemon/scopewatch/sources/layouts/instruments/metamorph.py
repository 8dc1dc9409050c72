"""MetaMorph (Molecular Devices): `NAME_w1Phase_s1_t1.TIF`.

Wavelength, stage position and time point count from 1; each is there only if there are several.
The name of the wavelength follows its number; where the name is a number too, both are the code
(`w2488`). The name before them is the run.
"""

from scopewatch.sources.layouts.layout import Example, Layout, Never
from scopewatch.sources.layouts.parts import END, NAME

# The name of a wavelength may hold anything but the counters.
_WAVE = r"_(?P<channel_code>w\d{1,4}(?!\d))(?P<channel>(?:(?!_[stz]\d)[^/])+?)?"
_STAGE = r"_s(?P<site>\d+)"
_TIME = r"_t(?P<time_point>\d+)"
_OTHERS = r"(?:_[a-rv-z]\d+)*"

LAYOUT = Layout(
    name="metamorph",
    program="MetaMorph (Molecular Devices)",
    patterns=(
        rf"{NAME}[^/]*?{_TIME}{_OTHERS}{_WAVE}(?:{_STAGE})?{END}",
        rf"{NAME}[^/]*?{_TIME}{_STAGE}{_WAVE}{END}",
        rf"{NAME}[^/]*?{_STAGE}{_WAVE}(?:{_TIME})?{END}",
        rf"{NAME}[^/]*?{_WAVE}(?:{_STAGE})?(?:{_TIME})?{END}",
        rf"{NAME}(?![^/]*_w\d)[^/]*?(?:{_STAGE})?{_TIME}{END}",
    ),
    counts_from={"time_point": 1},
    never=(Never(pattern=r"(?i)_thumb[^/]*\.\w+$", reason="a thumbnail"),),
    examples=(
        Example(path="JC080420_t050_g02_n2_w2488_s38.TIF", site=38, time_point=49, channel="w2488"),
        Example(
            path="exp_w1Brightfield - Camera_s12_t100.TIF",
            site=12,
            time_point=99,
            channel="Brightfield - Camera",
        ),
        Example(path="170720_LA_CPLAi4_w10BF_s1_t1.TIF", site=1, time_point=0, channel="BF"),
        Example(path="WT1_w2561 Laser.TIF", channel="Laser"),
        Example(path="6_w1CFP_s1_t1.TIF", site=1, time_point=0, channel="CFP"),
        Example(
            path="KB_BV591_03192018_w1iSIM - FITC - 525-50_s1_t1.TIF",
            site=1,
            time_point=0,
            channel="iSIM - FITC - 525-50",
        ),
    ),
)
