"""`scopewatch init`: a configuration from the files that are there."""

# Imports are within the command: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scopewatch.cli.options.groups import with_option_groups
from scopewatch.cli.options.reading import ReadingGroup
from scopewatch.cli.outputs import refuse_stdout

if TYPE_CHECKING:
    from scopewatch.app.explain.options import ReadingOptions
    from scopewatch.app.setup.understanding import Understanding


@with_option_groups
def init(
    *,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the images appear.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="The configuration to write.")
    ] = Path("config.yaml"),
    name: Annotated[str | None, typer.Option(help="Name of the run.")] = None,
    model: Annotated[
        Path | None, typer.Option("--model", "-m", metavar="DIR", help="A model bundle.")
    ] = None,
    reading: ReadingGroup,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing; take what is guessed.")] = (
        False
    ),
    force: Annotated[bool, typer.Option("--force", help="Write over a file.")] = False,
) -> None:
    """Write a configuration for the files of a folder, and check it.

    The layout of the names, the interval, the channels and the plate are guessed from the files
    that are there; what cannot be guessed is asked for. An option that is given is taken as it is.

    Example: scopewatch init /srv/microscope/run8 --out config.yaml
    """
    from scopewatch.app.explain.text import describe
    from scopewatch.app.setup.configuration import write_configuration
    from scopewatch.app.setup.understanding import understand
    from scopewatch.inference.shipped import SHIPPED, bundled_model

    refuse_stdout(out, "--out", what="a configuration", do="name a file")
    wanted = reading.read()
    understood = understand(folder, wanted)
    if not yes and sys.stdin.isatty():
        answered = _ask(understood, wanted)
        if answered != wanted:
            understood = understand(folder, answered)
    for line in understood.lines():
        typer.echo(line)
    typer.echo("")
    for line in describe(understood.explanation):
        typer.echo(line)
    for question in understood.open_questions:
        flag = {"phase_channel": "--channel", "interval_h": "--interval-h"}[question]
        typer.echo(f"not known: {question}; a default is written, correct it or give {flag}")
    write_configuration(
        out,
        folder,
        understood,
        name=name or folder.resolve().name or "run",
        bundle=model or bundled_model(SHIPPED),
        replace=force,
    )
    typer.echo(f"\nwritten: {out}\n")
    _check(out)


def _ask(understood: "Understanding", wanted: "ReadingOptions") -> "ReadingOptions":
    """Ask for what could not be guessed."""
    for question in understood.open_questions:
        if question == "phase_channel":
            found = ", ".join(understood.explanation.channels)
            answer = typer.prompt(f"Which channel is the phase contrast ({found})")
            wanted = replace(wanted, channel=answer)
        else:
            answer = typer.prompt("Hours between time points", type=float, default=12.0)
            wanted = replace(wanted, interval_h=answer)
    return wanted


def _check(path: Path) -> None:
    from scopewatch.app.checking.checks import run_checks
    from scopewatch.cli.daemon import show_findings

    if show_findings(run_checks(path, os.environ)):
        raise typer.Exit(1)
