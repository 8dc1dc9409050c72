"""`scopewatch files`: the example configuration, the systemd units and the documentation."""

# Imports are within the command: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

from pathlib import Path
from typing import Annotated

import typer

from scopewatch.cli.outputs import refuse_stdout


def files(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where they are written.")],
) -> None:
    """Write the example configuration, the systemd units and the documentation into a folder.

    Nothing is written over. The configuration works as it is, with the model that comes along.

    Example: scopewatch files scopewatch-files
    """
    from scopewatch.app.kit import lay_down

    refuse_stdout(folder, "DIR", what="a folder of files", do="name a folder")
    for path in lay_down(folder):
        typer.echo(str(path))
