"""scanR (Olympus, Evident): `A1--W00001--P00001--Z00000--T00000--cherry.tif`.

The number of the well is a label unless the source knows the plate (`plate_wells`), or the name
before it is a well. Planes and time points count from 0.
"""

from scopewatch.sources.layouts.layout import Example, Layout
from scopewatch.sources.layouts.parts import END, NAME, WELL

_REST = rf"--P(?P<site>\d+)--Z(?P<z>\d+)--T(?P<time_point>\d+)--(?P<channel>[^/]+?){END}"

LAYOUT = Layout(
    name="scanr",
    program="scanR (Olympus, Evident)",
    patterns=(
        rf"{NAME}{WELL}--W\d+{_REST}",
        rf"{NAME}(?P<plate>[^/]+?)?--W(?P<well>\d+){_REST}",
    ),
    examples=(
        Example(
            path="--W00001--P00001--Z00000--T00000--cherry.tif",
            well="1",
            site=1,
            time_point=0,
            channel="cherry",
            z=0,
        ),
        Example(
            path="data/A1--W00001--P00001--Z00000--T00000--DIC.tif",
            well="A1",
            site=1,
            time_point=0,
            channel="DIC",
            z=0,
        ),
    ),
)
