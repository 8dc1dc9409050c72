"""`scopewatch explain`: how files would be read."""

# Imports are within the command: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

import json
from pathlib import Path
from typing import Annotated

import typer

from scopewatch.cli import reading_options as options


def explain(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Folders, files, data sets; none: all sources."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="Read as the sources in it do."),
    ] = None,
    pattern: options.Pattern = None,
    position: options.Position = None,
    z: options.Z = None,
    um_per_px: options.UmPerPx = None,
    clock_zone: options.ClockZone = None,
    plate_wells: options.PlateWells = None,
    channel: options.Channel = None,
    interval_h: options.IntervalH = None,
    counts_from: options.CountsFrom = None,
    channel_names: options.ChannelNames = None,
    wells: options.Wells = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, all cases.")] = False,
) -> None:
    """Show how each file would be read, with the origin of each fact.

    Nothing is scored or written. Frames that are read alike are shown together. The exit code is 1
    where no file is a frame, or two files are the same frame.

    Example: scopewatch explain /srv/microscope/run8 --pattern incucyte
    """
    from scopewatch.app.explain.options import ReadingOptions
    from scopewatch.app.explain.places import explain_places
    from scopewatch.app.explain.text import as_json as plain
    from scopewatch.app.explain.text import describe

    wanted = ReadingOptions(
        pattern=pattern,
        position=position,
        z=options.read_z(z),
        um_per_px=um_per_px,
        clock_zone=clock_zone,
        plate_wells=plate_wells,
        channel=channel,
        interval_h=interval_h,
        counts_from=options.read_pairs("--counts-from", counts_from),
        channel_names=options.read_pairs("--channel-names", channel_names),
        wells=options.read_pairs("--wells", wells),
    )
    explanations = list(explain_places(tuple(paths or ()), config, wanted))
    if as_json:
        typer.echo(json.dumps([plain(each) for each in explanations], indent=2, ensure_ascii=False))
    else:
        for number, explanation in enumerate(explanations):
            if number:
                typer.echo("")
            for line in describe(explanation):
                typer.echo(line)
    if any(each.doubled or not each.frames for each in explanations):
        raise typer.Exit(1)
