"""How files are read: the options that `score`, `explain` and `init` share."""

from typing import Annotated

import typer

Pattern = Annotated[
    str | None,
    typer.Option(
        help="How names are read: a layout (incucyte, keyence, ...; docs/formats.md) or a regular"
        " expression with named groups plate, well, site, time_point, channel; left out: guessed."
    ),
]
Position = Annotated[
    str | None,
    typer.Option(help="Regular expression that reads plate, well and site from position labels."),
]
Z = Annotated[int | None, typer.Option("--z", help="Plane of a z-stack; left out: the first.")]
UmPerPx = Annotated[
    float | None,
    typer.Option("--um-per-px", min=0.001, max=999, help="Instead of what the files say."),
]
ClockZone = Annotated[
    str | None,
    typer.Option(help="Zone of times without one, Europe/Berlin; left out: this machine's."),
]
PlateWells = Annotated[
    int | None,
    typer.Option("--plate-wells", help="Wells of the plate, where names number them: 1 is A1."),
]
Channel = Annotated[str | None, typer.Option(help="The channel that is scored.")]
IntervalH = Annotated[
    float | None, typer.Option("--interval-h", min=0.001, help="Hours between time points.")
]
