"""`scopewatch support-bundle`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from scopewatch.cli.daemon import DEFAULT_CONFIG, ConfigPath
from scopewatch.cli.outputs import refuse_stdout


def support_bundle(
    out: Annotated[Path, typer.Option("--out", metavar="FILE.zip", help="Where to write it.")],
    config: ConfigPath = DEFAULT_CONFIG,
    with_images: Annotated[
        int, typer.Option("--with-images", min=0, help="Newest pictures to add; none unless asked.")
    ] = 0,
) -> None:
    """Gather what a report of trouble needs, without secrets, also when nothing works.

    Example: scopewatch support-bundle --out trouble.zip
    """
    from scopewatch.app.support import write_bundle  # noqa: PLC0415 - loads SQLAlchemy

    refuse_stdout(out, "--out", what="an archive", do="name a file: trouble.zip, say")
    for part in write_bundle(config, out, os.environ, with_images):
        mark = "note" if part.trouble else "ok"
        typer.echo(f"{mark:<4}  {part.name}" + (f": {part.trouble}" if part.trouble else ""))
    typer.echo(f"written to {out}; look through it before you send it on")
