"""Harmony (PerkinElmer, Revvity): exports of Opera Phenix and Operetta.

`r02c03f02p01-ch1sk5fk1fl1`: row, column, field, plane, channel and time point (`sk`, of slow
kinetics). The scale in the TIFF's tags is the pitch of the camera's pixels.
"""

from scopewatch.sources.layouts.layout import Example, Layout
from scopewatch.sources.layouts.parts import NAME

LAYOUT = Layout(
    name="harmony",
    program="Harmony (PerkinElmer, Revvity): Opera Phenix, Operetta",
    patterns=(
        rf"{NAME}r(?P<row>\d\d)c(?P<column>\d\d)f(?P<site>\d+)p(?P<z>\d+)"
        r"-(?P<channel_code>ch\d+)(?:sk(?P<time_point>\d+))?(?:fk\d+)?(?:fl\d+)?\.[^/]+$",
    ),
    counts_from={"time_point": 1, "z": 1},
    distrusts=frozenset({"pixel_size_um"}),
    examples=(
        Example(
            path="Images/r02c03f02p01-ch1sk5fk1fl1.tiff",
            well="B3",
            site=2,
            time_point=4,
            channel="ch1",
            z=1,
        ),
        Example(
            path="r01c01f01p01-ch6sk1fk1fl1.tiff",
            well="A1",
            site=1,
            time_point=0,
            channel="ch6",
            z=1,
        ),
    ),
)
