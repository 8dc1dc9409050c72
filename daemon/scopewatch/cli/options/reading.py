"""How files are read: options of `score`, `rescore`, `explain` and `init`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from scopewatch.core.errors import ConfigError, complaint

if TYPE_CHECKING:
    from scopewatch.app.explain.options import ReadingOptions

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
Z = Annotated[
    str | None,
    typer.Option(
        "--z",
        metavar="N|sharpest",
        help="Plane of a z-stack, or the sharpest of all; left out: the first.",
    ),
]
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
CountsFrom = Annotated[
    list[str] | None,
    typer.Option(
        "--counts-from",
        metavar="NAME=N",
        help="The number that names begin to count with: time_point=1; for several, again.",
    ),
]
ChannelNames = Annotated[
    list[str] | None,
    typer.Option(
        "--channel-names",
        metavar="CODE=NAME",
        help="Name of a channel by its code or name in files: ch6=phase; for several, again.",
    ),
]
Wells = Annotated[
    list[str] | None,
    typer.Option(
        "--wells", metavar="LABEL=WELL", help="Well of a position label: XY01=A1; again for more."
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingGroup:
    """The options of a call, as they are given."""

    pattern: Pattern = None
    position: Position = None
    z: Z = None
    um_per_px: UmPerPx = None
    clock_zone: ClockZone = None
    plate_wells: PlateWells = None
    channel: Channel = None
    interval_h: IntervalH = None
    counts_from: CountsFrom = None
    channel_names: ChannelNames = None
    wells: Wells = None

    def read(self) -> "ReadingOptions":
        """Return the options. Raises ConfigError."""
        from scopewatch.app.explain.options import ReadingOptions  # noqa: PLC0415 - loads pydantic

        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return ReadingOptions(
            **given
            | {
                "z": read_z(self.z),
                "counts_from": read_pairs("--counts-from", self.counts_from),
                "channel_names": read_pairs("--channel-names", self.channel_names),
                "wells": read_pairs("--wells", self.wells),
            }
        )


def read_z(given: str | None) -> int | Literal["sharpest"] | None:
    """Read the number of a plane, or `sharpest`.

    >>> read_z("-2"), read_z("Sharpest"), read_z(None)
    (-2, 'sharpest', None)

    Raises
    ------
    ConfigError
        Where it is neither.
    """
    if given is None:
        return None
    text = given.strip().casefold()
    if text == "sharpest":
        return "sharpest"
    if re.fullmatch(r"[+-]?[0-9]{1,9}", text) is None:
        raise ConfigError(
            complaint(
                "option is wrong",
                where="--z",
                expected="the number of a plane, or sharpest",
                got=repr(given),
                do="write it like --z 2, or --z sharpest",
            )
        )
    return int(text)


def read_pairs(option: str, given: Sequence[str] | None) -> dict[str, str] | None:
    """Read what an option gives as NAME=VALUE, one or several by commas.

    >>> read_pairs("--channel-names", ["ch6=phase", "d1=gfp, d2=rfp"])
    {'ch6': 'phase', 'd1': 'gfp', 'd2': 'rfp'}

    Raises
    ------
    ConfigError
        Where one is none, or a name is given twice.
    """
    if not given:
        return None
    pairs: dict[str, str] = {}
    for text in (part for each in given for part in each.split(",")):
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value) or name in pairs:
            raise ConfigError(
                complaint(
                    "option is wrong",
                    where=option,
                    expected="each name once, as NAME=VALUE",
                    got=repr(text.strip()),
                    do=f"write it like {_EXAMPLES[option]}",
                )
            )
        pairs[name] = value
    return pairs


_EXAMPLES = {
    "--counts-from": "--counts-from time_point=1",
    "--channel-names": "--channel-names ch6=phase",
    "--wells": "--wells XY01=A1",
}
