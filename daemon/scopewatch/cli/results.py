"""`scopewatch status` and `scopewatch export`."""

# Imports are within the commands: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from scopewatch.cli.daemon import DEFAULT_CONFIG, ConfigPath
from scopewatch.cli.outputs import STDOUT, refuse_stdout

if TYPE_CHECKING:
    from scopewatch.store.read.records.frames import Counts


class ExportFormat(StrEnum):
    """What results can be exported as."""

    CSV = "csv"
    JSON = "json"
    OME_ZARR = "ome-zarr"


def status(
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show the daemon, the wells and what is wrong.

    Example: scopewatch status -c config.yaml --json
    """
    from scopewatch.app.status.reading import read_status
    from scopewatch.config import load_config

    current = read_status(load_config(config), os.environ, delivered=as_json)
    if as_json:
        typer.echo(json.dumps(current.as_json(), indent=2, ensure_ascii=False))
    else:
        from scopewatch.cli.status_text import print_status

        print_status(current)


def export(
    out: Annotated[
        Path,
        typer.Option("--out", metavar="PATH", help="Where to write it; - is stdout (csv, json)."),
    ],
    config: ConfigPath = DEFAULT_CONFIG,
    file_format: Annotated[
        ExportFormat,
        typer.Option(
            "--format",
            help="csv: a line per frame; json: all but pixels; ome-zarr: the virtual stains.",
        ),
    ] = ExportFormat.CSV,
) -> None:
    """Write the results to a file.

    Example: scopewatch export --format csv --out results.csv
    """
    from scopewatch.app.shared.places import place_of
    from scopewatch.config import load_config
    from scopewatch.store.read.reader import Reader

    if file_format is ExportFormat.OME_ZARR:
        refuse_stdout(out, "--out", what="a store of pictures", do="name a folder")
    to = _stdout() if out == STDOUT else out
    settings = load_config(config)
    with (
        closing(Reader.open(place_of(settings))) as reader,
        _progress(reader.counts()) as progress,
    ):
        match file_format:
            case ExportFormat.CSV:
                from scopewatch.store.export.tables import export_csv

                what = f"{export_csv(reader, to, progress)} frames"
            case ExportFormat.JSON:
                from scopewatch.store.export.tables import export_json

                what = f"{export_json(reader, to, progress)} frames"
            case ExportFormat.OME_ZARR:
                from scopewatch.store.export.ome_zarr import export_ome_zarr

                what = f"{export_ome_zarr(reader, out, progress)} images"
    typer.echo(
        f"{what} written to {'standard output' if out == STDOUT else out}", err=out == STDOUT
    )


def _stdout() -> TextIO:
    """Return standard output as a file of that format is: UTF-8, line ends as they are written."""
    stream = sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", newline="")
    return stream


@contextmanager
def _progress(counts: "Counts") -> Iterator[Callable[[int], None]]:
    """Show on standard error how many frames are written, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    # Elsewhere than on a terminal it would leave an empty line.
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        total = counts.scored + counts.quarantined + counts.skipped + counts.missed
        task = bar.add_task("frames", total=total)
        yield lambda done: bar.update(task, completed=done)
