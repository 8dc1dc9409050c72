"""`scopewatch explain`: how files would be read."""

# Imports are within the command: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

import json
from pathlib import Path
from typing import Annotated

import typer

from scopewatch.cli.options.groups import with_option_groups
from scopewatch.cli.options.reading import ReadingGroup


@with_option_groups
def explain(
    *,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Folders, files, data sets; none: all sources."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="Read as the sources in it do."),
    ] = None,
    reading: ReadingGroup,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, all cases.")] = False,
) -> None:
    """Show how each file would be read, with the origin of each fact.

    Nothing is scored or written. Frames that are read alike are shown together. The exit code is 1
    where no file is a frame, or two files are the same frame.

    Example: scopewatch explain /srv/microscope/run8 --pattern incucyte
    """
    from scopewatch.app.explain.places import explain_places
    from scopewatch.app.explain.text import as_json as plain
    from scopewatch.app.explain.text import describe

    wanted = reading.read()
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
