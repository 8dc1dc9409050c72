"""pymmcore-plus: the image files of `ImageSequenceWriter`.

The names hold indexes alone. Which well an image shows, its channel's name and its scale stand in
`_frame_metadata.json` beside it.
"""

from scopewatch.sources.layouts.layout import Example, Layout
from scopewatch.sources.layouts.parts import NAME


def _axis(letter: str, group: str) -> str:
    return rf"(?=(?:(?:[^/]*?_)?{letter}(?P<{group}>\d+)[_.])?)"


# img-00005_t0000_p002_c01.tif: the prefix is the user's, axes that the plan lacks are left out.
LAYOUT = Layout(
    name="useq",
    program="pymmcore-plus (ImageSequenceWriter)",
    patterns=(
        rf"{NAME}(?=(?:[^/]*?_)?[tpcgz]\d{{2,}}(?:_[tpcgz]\d{{2,}})*\.\w+$)"
        rf"{_axis('t', 'time_point')}{_axis('p', 'position')}{_axis('g', 'site')}{_axis('z', 'z')}"
        r"(?=(?:(?:[^/]*?_)?(?P<channel_code>c\d+)[_.])?)",
    ),
    examples=(
        Example(path="00005_t0000_p002_c01.tif", time_point=0, position=2, channel="c01"),
        Example(path="run-00012_t0003_c00_z002.tif", time_point=3, channel="c00", z=2),
    ),
)
