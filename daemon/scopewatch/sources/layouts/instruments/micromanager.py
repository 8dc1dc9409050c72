"""Micro-Manager: series of separate image files.

2.0: `A1-Site_0/img_channel000_position000_time000000000_z000.tif`, with the channel's name in
`metadata.txt`; 1.4: `A1-Site_0/img_000000000_Phase_000.tif`. The folder of the images is the
position, or the acquisition itself where it has only one position: an acquisition is named by its
prefix and a number (`H9_1`), so a folder with such a name is a position only within another one.
"""

from scopewatch.sources.layouts.layout import Example, Layout

_ACQUISITION = r"[^/]+_\d+"
# Within a folder `2024_03_01` this may also be an acquisition, of the cell line H9 for example. So
# it names a well of its own, and is read as well and site only where the metadata do so.
_AMBIGUOUS = r"[A-Pa-p]\d{1,2}[-_ ]\d{1,3}"
# Names that programs give to positions of plates and grids, and nobody to an acquisition: the
# watched folder may be the acquisition itself, or one that was given another name.
_POSITION = r"(?:[^/]+-Site_\d+|\d+-Pos_\d+_\d+|Pos_?\d+|(?:A[A-F]|[A-Z])\d{1,2}_\d{4})"


def _within(image: str, *, indexed: str = "") -> tuple[str, ...]:
    """Return patterns of an image below a position of an acquisition, a position, or neither."""
    here = image.format(position=indexed)
    return (
        rf"(?<![^/]){_ACQUISITION}/(?P<well>{_AMBIGUOUS})/{here}",
        rf"(?<![^/]){_ACQUISITION}/(?P<position>[^/]+)/{here}",
        rf"(?<![^/])(?:(?={_POSITION}/)|(?!{_ACQUISITION}/))(?P<position>[^/]+)/{here}",
        rf"(?<![^/]){image.format(position=indexed.replace('(?:', '(?P<position>'))}",
    )


# An index of 0 gives no fact: it is there in a series of one position or one channel, too.
_2_0 = (
    r"img_(?:channel0+|(?P<channel_code>channel\d+))_position(?:0+|{position})"
    r"_time(?P<time_point>\d+)_z(?P<z>\d+)\.[^/]+$"
)
_1_4 = r"img_(?P<time_point>\d{{9}})_(?P<channel>[^/]+)_(?P<z>\d{{3}})\.[^/]+$"

LAYOUT = Layout(
    name="micromanager",
    program="Micro-Manager, separate image files",
    patterns=(*_within(_2_0, indexed=r"(?:\d+)"), *_within(_1_4)),
    examples=(
        Example(
            path="run_1/B2-Site_3/img_channel000_position000_time000000004_z000.tif",
            position="B2-Site_3",
            time_point=4,
            z=0,
        ),
        Example(
            path="r/Pos3/img_000000002_BF_000.tif",
            position="Pos3",
            time_point=2,
            channel="BF",
            z=0,
        ),
        Example(
            path="run_1/left dish/img_000000002_Phase_000.tif",
            position="left dish",
            time_point=2,
            channel="Phase",
            z=0,
        ),
        Example(path="H9_1/img_000000002_Phase_000.tif", time_point=2, channel="Phase", z=0),
        Example(
            path="A1-Site_0/img_channel000_position000_time000000003_z000.tif",
            position="A1-Site_0",
            time_point=3,
            z=0,
        ),
        Example(
            path="plate of May/1-Pos_000_001/img_000000002_Phase_000.tif",
            position="1-Pos_000_001",
            time_point=2,
            channel="Phase",
            z=0,
        ),
    ),
)
