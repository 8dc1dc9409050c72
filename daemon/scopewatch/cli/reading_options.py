"""How files are read: the options that `score`, `explain` and `init` share."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal
from urllib.parse import urlsplit
from urllib.request import url2pathname

import typer

from scopewatch.core.errors import ConfigError, complaint

if TYPE_CHECKING:
    from scopewatch.app.explain.options import ReadingOptions
    from scopewatch.sources.remote.urls import RemoteFolder

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
Threads = Annotated[
    int | None,
    typer.Option(min=1, max=64, help="For the model: 2, or 1 in each process with --dask."),
]
MemoryMb = Annotated[
    int, typer.Option("--memory-mb", min=32, help="For the model; more goes in strips.")
]
Dask = Annotated[
    str | None,
    typer.Option(
        metavar="local|local:N|tcp://HOST:PORT",
        help="Score in several processes here, or on the workers of a Dask scheduler.",
    ),
]

CacheGb = Annotated[
    float,
    typer.Option("--cache-gb", min=0.0001, help="Of files behind each URL, kept in each process."),
]

DEFAULT_PATTERN: Final = "scopewatch"


def reading(
    *,
    pattern: str | None,
    position: str | None,
    z: str | None,
    um_per_px: float | None,
    clock_zone: str | None,
    plate_wells: int | None,
    channel: str | None,
    interval_h: float | None,
    counts_from: Sequence[str] | None,
    channel_names: Sequence[str] | None,
    wells: Sequence[str] | None,
) -> "ReadingOptions":
    """Return the options of a call. Raises ConfigError."""
    from scopewatch.app.explain.options import ReadingOptions  # noqa: PLC0415 - loads pydantic

    return ReadingOptions(
        pattern=pattern,
        position=position,
        z=read_z(z),
        um_per_px=um_per_px,
        clock_zone=clock_zone,
        plate_wells=plate_wells,
        channel=channel,
        interval_h=interval_h,
        counts_from=read_pairs("--counts-from", counts_from),
        channel_names=read_pairs("--channel-names", channel_names),
        wells=read_pairs("--wells", wells),
    )


def inputs(paths: Sequence[str], cache_gb: float) -> list["Path | RemoteFolder"]:
    """Return what the paths and URLs of a call name.

    Raises
    ------
    ConfigError
        When a URL holds credentials.
    """
    from scopewatch.sources.readers.image_file import is_image_name  # noqa: PLC0415 - likewise
    from scopewatch.sources.remote.urls import (  # noqa: PLC0415 - loads the sources
        RemoteFolder,
        check_url,
        is_url,
    )

    def read(text: str) -> Path | RemoteFolder:
        if not is_url(text):
            return Path(text)
        if text.lower().startswith("file://"):
            return Path(url2pathname(urlsplit(text).path))
        url, only = check_url(text), ""
        if is_image_name(url):
            url, _, only = url.rpartition("/")
        return RemoteFolder(url=url, cache_bytes=int(cache_gb * 1e9), only=only)

    return [read(text) for text in paths]


def guessed(paths: Sequence["Path | RemoteFolder"], pattern: str | None) -> str:
    """Return the layout that names are read by where no pattern is given."""
    from scopewatch.app.oneshot.build import guess_pattern  # noqa: PLC0415 - loads the readers

    here = [path for path in paths if isinstance(path, Path)]
    if pattern is not None or not all(path.exists() for path in here):
        return DEFAULT_PATTERN
    return guess_pattern(paths) or DEFAULT_PATTERN


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
